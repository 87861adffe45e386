//! Japanese content.

use super::lexicon::{Attribute, FactWording, Lexicon};

pub(super) const LEXICON: Lexicon = Lexicon {
    code: "ja",
    first_names: &["陽子", "健太", "美咲", "大輔", "直樹", "彩香"],
    last_names: &["高橋", "渡辺", "小林", "斎藤", "松本", "清水"],
    cities: &["大阪", "名古屋", "福岡", "札幌"],
    jobs: &["購買部長", "情報システム担当", "代表取締役", "総務課長"],
    greetings: &["{}様", "{}様 お世話になっております。"],
    closings: &["よろしくお願いいたします。", "引き続きよろしくお願いします。"],
    subjects: &["先月の請求書について", "第二拠点の見積もり", "倉庫スタッフの研修日程", "契約書案 第4条"],
    sentences: &[
        "今朝チームで数字を確認しましたが、おおむね問題ありません。",
        "木曜日までに修正した見積書をお送りいただけますか。",
        "エクスポートに四十分近くかかり、夜勤の作業が止まっています。",
        "倉庫の研修は順調に終わり、二回目は必要ありません。",
        "金曜日は移転のため事務所を閉めます。",
        "法務から責任範囲について一点指摘がありました。",
    ],
    facts: &[
        FactWording {
            attribute: Attribute::AccountManager,
            first: "弊社の担当者は{}です。",
            changed: "担当者が{}に変わりました。",
        },
        FactWording {
            attribute: Attribute::RenewalMonth,
            first: "契約更新は{}です。",
            changed: "契約更新は{}に延期されました。",
        },
        FactWording {
            attribute: Attribute::Billing,
            first: "請求書は{}を希望します。",
            changed: "今後の請求書は{}に変更してください。",
        },
        FactWording {
            attribute: Attribute::Budget,
            first: "今年の予算は{}です。",
            changed: "予算は{}に変更されました。",
        },
        FactWording {
            attribute: Attribute::DecisionMaker,
            first: "最終決定は{}が行います。",
            changed: "最終決定者は{}になりました。",
        },
        FactWording {
            attribute: Attribute::Seats,
            first: "{}席が必要です。",
            changed: "注文を{}席に変更してください。",
        },
    ],
    months: &["1月", "2月", "3月", "4月", "5月", "6月", "7月", "8月", "9月", "10月", "11月", "12月"],
    billing: &["月払い", "四半期払い", "年払い"],
    reference: "整理番号 ref {} です。",
    gmail_wrote: "{date} {name} <{mail}>:",
    apple_wrote: "{date}、{name}のメール:",
    outlook: ["差出人", "送信日時", "宛先", "件名"],
    disclaimer: "本メールは宛先の方のみを対象とした機密情報を含みます。誤って受信された場合は削除のうえご連絡ください。",
    sent_from: "携帯端末から送信",
    newsletter: [
        "今月のお知らせ",
        "秋の更新で取り込みが速くなり、最初の画面も見やすくなりました。",
        "水曜日の相談会にぜひご参加ください。",
        "配信を停止する",
    ],
    auto_reply: [
        "自動返信: 不在のお知らせ",
        "ご連絡ありがとうございます。月曜日まで不在にしており、メールを確認できません。お急ぎの場合は代表番号までお電話ください。",
    ],
    table: ["品目", "数量", "価格"],
    titles: ["状況確認の電話", "四半期レビュー", "顧客メモ", "修正した見積もりを送る"],
    next_steps: &["修正した見積書を送る", "取り込み記録を確認する", "会議室を予約する"],
};
