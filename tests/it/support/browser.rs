//! A person with a browser at the consent page: follows redirects, keeps cookies, presses a button.

use std::time::Duration;

use reqwest::{Client, Response};

/// Which button is pressed, or what is done instead.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Answer {
    Approve,
    Deny,
}

impl Answer {
    fn value(self) -> &'static str {
        match self {
            Self::Approve => "approve",
            Self::Deny => "deny",
        }
    }
}

/// A browser with one cookie jar.
pub(crate) struct Browser {
    http: Client,
    cookie: Option<String>,
}

impl Browser {
    pub(crate) fn new() -> Self {
        Self { http: hublore::http::client(Duration::from_secs(60)).unwrap(), cookie: None }
    }

    /// Opens an address; answers without following redirects.
    pub(crate) async fn open(&mut self, address: &str) -> Response {
        let mut request = self.http.get(address);
        if let Some(cookie) = &self.cookie {
            request = request.header("cookie", cookie);
        }
        let response = request.send().await.unwrap();
        if let Some(cookie) = response.headers().get("set-cookie") {
            self.cookie = cookie.to_str().unwrap().split(';').next().map(str::to_owned);
        }
        response
    }

    /// From the connect page to HubSpot's redirect: where HubSpot sends the person back to.
    pub(crate) async fn answer(&mut self, link: &str, answer: Answer) -> String {
        let sent = self.open(link).await;
        assert_eq!(sent.status(), 302, "the connect page redirects");
        let consent = location(&sent);
        let page = self.open(&consent).await.text().await.unwrap();
        let mut fields: Vec<(String, String)> = hidden_fields(&page);
        fields.push(("decision".to_owned(), answer.value().to_owned()));
        let host = consent.split("/oauth").next().unwrap();
        let decided =
            self.http.post(format!("{host}/oauth/authorize/decision")).form(&fields).send().await.unwrap();
        location(&decided)
    }

    /// Presses a button of the page that asks about another portal.
    pub(crate) async fn press(&self, address: &str, question: &str, choice: &str) -> Response {
        let mut request = self.http.post(address).form(&[("question", question), ("choice", choice)]);
        if let Some(cookie) = &self.cookie {
            request = request.header("cookie", cookie);
        }
        request.send().await.unwrap()
    }

    /// The whole way, back at our callback.
    pub(crate) async fn consent(&mut self, link: &str, answer: Answer) -> Response {
        let back = self.answer(link, answer).await;
        self.open(&back).await
    }
}

pub(crate) fn location(response: &Response) -> String {
    let location = response.headers().get("location");
    location.unwrap_or_else(|| panic!("{} does not redirect", response.url())).to_str().unwrap().to_owned()
}

fn hidden_fields(page: &str) -> Vec<(String, String)> {
    let inputs = page.split("<input").skip(1).filter(|input| input.contains("hidden"));
    let attribute = |input: &str, name: &str| {
        let from = input.split(&format!("{name}=\"")).nth(1)?;
        let value = from.split('"').next()?;
        Some(value.replace("&amp;", "&").replace("&quot;", "\"").replace("&lt;", "<").replace("&#39;", "'"))
    };
    inputs.filter_map(|input| attribute(input, "name").zip(attribute(input, "value"))).collect()
}
