//! How fast we may ask: a rolling window for everything, a slower one for search, a day's budget.
//!
//! HubSpot counts requests as they arrive, over any ten seconds. When one arrives we cannot know, only that it
//! is after its start and before its answer. So a place in the window is taken at the start and given back ten
//! seconds after the answer: then no ten seconds can hold more arrivals than the limit, however long requests
//! travel. The price is the travel time, some three percent of the rate. A window over starts alone with a
//! margin was rejected: no margin is large enough for every network.
//!
//! Background reading leaves room for agents: it waits behind them, spreads its requests once the window is
//! half full so that a place is free soon, and keeps a tenth of the window back while an agent is at work.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::Instant;

/// Limit before the first answer told us the real one (contract, section 7: the smallest plan has 100).
const FIRST_LIMIT: usize = 90;
/// HubSpot's window; a little longer, because clocks do not run alike.
const WINDOW: Duration = Duration::from_millis(10_010);
/// Search: five a second for the whole account; one is left to others.
const SEARCH_LIMIT: usize = 4;
const SEARCH_WINDOW: Duration = Duration::from_millis(1_010);
/// While an agent wrote within this time, background reading keeps a tenth of the window back.
const AGENT_IS_AT_WORK: Duration = Duration::from_secs(60);
/// Background reading stops when so much of the day's budget is left: the rest is for agents.
const DAILY_RESERVE_PERCENT: u64 = 2;

/// Which of HubSpot's counters a request falls under.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lane {
    /// Everything but search.
    General,
    /// Search endpoints.
    Search,
}

/// Who waits for the answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Priority {
    /// Nobody in particular: a sync.
    Background,
    /// An agent, and through it a person.
    Agent,
}

#[derive(Debug)]
struct RollingWindow {
    limit: usize,
    span: Duration,
    running: usize,
    ended: VecDeque<Instant>,
    last_start: Option<Instant>,
    blocked_until: Option<Instant>,
    agents_waiting: usize,
    agent_seen: Option<Instant>,
    first: Option<Instant>,
    taken: u64,
}

/// When to ask for a place again.
#[derive(Debug, PartialEq, Eq)]
enum Wait {
    Until(Instant),
    /// Every place is taken by a request that is under way.
    ForAnEnd,
}

impl RollingWindow {
    fn new(limit: usize, span: Duration) -> Self {
        Self {
            limit,
            span,
            running: 0,
            ended: VecDeque::new(),
            last_start: None,
            blocked_until: None,
            agents_waiting: 0,
            agent_seen: None,
            first: None,
            taken: 0,
        }
    }

    fn used(&self) -> usize {
        self.running + self.ended.len()
    }

    /// Takes a place now, or says when to ask again.
    fn take(&mut self, now: Instant, priority: Priority) -> Result<(), Wait> {
        if let Some(until) = self.blocked_until.filter(|until| *until > now) {
            return Err(Wait::Until(until));
        }
        self.blocked_until = None;
        while self.ended.front().is_some_and(|end| *end + self.span <= now) {
            self.ended.pop_front();
        }
        if priority == Priority::Agent {
            self.agent_seen = Some(now);
        } else if let Some(until) = self.pace(now) {
            return Err(Wait::Until(until));
        }
        if self.used() < self.open_to(priority, now) {
            self.running += 1;
            self.last_start = Some(now);
            self.first.get_or_insert(now);
            self.taken += 1;
            return Ok(());
        }
        Err(self.ended.front().map_or(Wait::ForAnEnd, |end| Wait::Until(*end + self.span)))
    }

    /// Places that a request of this priority may use.
    fn open_to(&self, priority: Priority, now: Instant) -> usize {
        let at_work = self.agent_seen.is_some_and(|seen| now < seen + AGENT_IS_AT_WORK);
        // A process before this one may have asked within the first window. Later none is kept without an agent: places
        // come back ten times a second, so the first agent does not wait long.
        let begins = self.limit > 10 && self.first.is_none_or(|first| now < first + self.span);
        let kept = match priority {
            Priority::Agent => 0,
            Priority::Background if at_work => (self.limit / 10).max(1),
            Priority::Background => usize::from(begins),
        };
        (self.limit - kept.min(self.limit.saturating_sub(1))).saturating_sub(match priority {
            Priority::Agent => 0,
            Priority::Background => self.agents_waiting,
        })
    }

    /// When background reading may start its next request, where that is later than now.
    fn pace(&self, now: Instant) -> Option<Instant> {
        let half_full = self.used() > self.limit / 2;
        // Faster than the rate that places come back at, or places would stay unused.
        let gap = self.span.mul_f64(0.75) / u32::try_from(self.limit.max(1)).unwrap_or(u32::MAX);
        self.last_start.filter(|_| half_full).map(|last| last + gap).filter(|next| *next > now)
    }

    fn end(&mut self, now: Instant) {
        self.running = self.running.saturating_sub(1);
        self.ended.push_back(now);
    }
}

#[derive(Debug)]
struct Counter {
    window: Mutex<RollingWindow>,
    ended: Notify,
}

impl Counter {
    fn new(limit: usize, span: Duration) -> Arc<Self> {
        Arc::new(Self { window: Mutex::new(RollingWindow::new(limit, span)), ended: Notify::new() })
    }

    fn window(&self) -> MutexGuard<'_, RollingWindow> {
        self.window.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The right to one request; kept until its answer is here.
#[derive(Debug)]
pub struct Permit(Arc<Counter>);

impl Drop for Permit {
    fn drop(&mut self) {
        self.0.window().end(Instant::now());
        self.0.ended.notify_waiters();
    }
}

/// Counts an agent as waiting for as long as it does.
struct Waiting<'a>(&'a Counter);

impl<'a> Waiting<'a> {
    fn of(counter: &'a Counter, priority: Priority) -> Option<Self> {
        (priority == Priority::Agent).then(|| {
            counter.window().agents_waiting += 1;
            Self(counter)
        })
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.window().agents_waiting -= 1;
    }
}

/// What HubSpot says of the account's requests per day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Daily {
    /// Permitted.
    pub limit: u64,
    /// Not used yet.
    pub remaining: u64,
}

/// The background part of the day's budget is used up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DayIsOver;

/// The budget of one portal, shared by everything that calls it.
#[derive(Debug)]
pub struct Budget {
    general: Arc<Counter>,
    search: Arc<Counter>,
    daily: Mutex<Option<Daily>>,
    fixed: bool,
}

impl Budget {
    /// `fixed` requests per ten seconds, or as HubSpot's headers say.
    #[must_use]
    pub fn new(fixed: Option<u32>) -> Self {
        let limit = fixed.map_or(FIRST_LIMIT, |limit| limit as usize);
        let search = if fixed.is_some_and(|limit| limit > 1000) { usize::MAX } else { SEARCH_LIMIT };
        Self {
            general: Counter::new(limit, WINDOW),
            search: Counter::new(search, SEARCH_WINDOW),
            daily: Mutex::new(None),
            fixed: fixed.is_some(),
        }
    }

    fn counter(&self, lane: Lane) -> &Arc<Counter> {
        match lane {
            Lane::General => &self.general,
            Lane::Search => &self.search,
        }
    }

    /// Waits until a request may start.
    pub async fn wait(&self, lane: Lane, priority: Priority) -> Result<Permit, DayIsOver> {
        let counter = self.counter(lane);
        let _waiting = Waiting::of(counter, priority);
        loop {
            if priority == Priority::Background && self.is_day_over() {
                return Err(DayIsOver);
            }
            let ended = counter.ended.notified();
            let taken = counter.window().take(Instant::now(), priority);
            match taken {
                Ok(()) => return Ok(Permit(Arc::clone(counter))),
                Err(Wait::Until(again)) => tokio::time::sleep_until(again).await,
                // A request may have ended between the look and the wait; then a look is due soon anyway.
                Err(Wait::ForAnEnd) => {
                    let _ = tokio::time::timeout(Duration::from_millis(50), ended).await;
                }
            }
        }
    }

    /// HubSpot told its limit for the window and how much of it is left.
    pub fn learn(&self, lane: Lane, max: Option<usize>, remaining: Option<usize>) {
        if self.fixed || lane != Lane::General {
            return;
        }
        let mut window = self.general.window();
        if let Some(max) = max {
            window.limit = max.max(1);
        }
        // Somebody else uses up the same limit: let the window empty a little.
        if remaining.is_some_and(|left| left <= 1) && window.used() + 10 < window.limit {
            window.blocked_until = Some(Instant::now() + Duration::from_secs(1));
        }
    }

    /// HubSpot told the limit of the day and how much of it is left.
    pub fn learn_day(&self, daily: Daily) {
        let mut known = self.daily.lock().unwrap_or_else(PoisonError::into_inner);
        // Answers overtake each other; what was left once does not come back on the same day.
        let least = known.filter(|known| known.limit == daily.limit).map(|known| known.remaining);
        *known = Some(Daily {
            remaining: least.map_or(daily.remaining, |least| least.min(daily.remaining)),
            ..daily
        });
    }

    /// What HubSpot last said of the day's budget; nothing for apps that have none.
    #[must_use]
    pub fn daily(&self) -> Option<Daily> {
        *self.daily.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Forgets what was left: HubSpot's answer tells anew.
    pub fn ask_anew_for_the_day(&self) {
        *self.daily.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// What is left, less what requests under way may still take, is for agents.
    fn is_day_over(&self) -> bool {
        let under_way = (self.general.window().running + self.search.window().running) as u64;
        let reserve = |day: Daily| (day.limit * DAILY_RESERVE_PERCENT).div_ceil(100);
        self.daily().is_some_and(|day| day.remaining <= reserve(day) + under_way)
    }

    /// Share of the permitted rate used from the first request to the last one, 0 to 1.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "counts far below 2^52")]
    pub fn permitted_rate_used(&self) -> f64 {
        let window = self.general.window();
        let span = window.first.zip(window.last_start).map(|(first, last)| last - first);
        let seconds = span.unwrap_or_default().as_secs_f64();
        // Within the first window everything permitted may be used at once.
        let permitted = (window.limit as f64) * (seconds / 10.0).max(1.0);
        (window.taken as f64 / permitted).min(1.0)
    }

    /// HubSpot said no: nobody asks before `pause` is over.
    pub fn block(&self, lane: Lane, pause: Duration) {
        let until = Instant::now() + pause;
        let mut window = self.counter(lane).window();
        window.blocked_until = Some(window.blocked_until.map_or(until, |already| already.max(until)));
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BinaryHeap;

    use super::*;

    /// A number that looks drawn, between the two.
    fn drawn(n: u64, from: u64, to: u64) -> Duration {
        let mixed = (n + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(23) ^ n.wrapping_mul(0x2545_f491);
        Duration::from_millis(from + mixed % (to - from))
    }

    /// What happens at a moment of the simulated time.
    #[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
    enum Event {
        End,
        Ask { agent: bool, since: Instant },
    }

    /// Eight workers of a sync and an agent that writes now and then, on a network of 50 to 500 ms, in simulated
    /// time. Answers the arrivals at HubSpot and the longest wait of the agent.
    fn simulate(window: &mut RollingWindow, length: Duration, agent: bool) -> (Vec<Instant>, Duration) {
        let begun = Instant::now();
        let mut events = BinaryHeap::new();
        let ask = |at: Instant, agent| std::cmp::Reverse((at, Event::Ask { agent, since: at }));
        (0..8).for_each(|_| events.push(ask(begun, false)));
        if agent {
            events.push(ask(begun + Duration::from_millis(2_500), true));
        }
        let (mut arrivals, mut longest, mut calls) = (Vec::new(), Duration::ZERO, 0);
        while let Some(std::cmp::Reverse((now, event))) = events.pop() {
            let Event::Ask { agent, since } = event else {
                window.end(now);
                continue;
            };
            if now > begun + length {
                continue;
            }
            let priority = if agent { Priority::Agent } else { Priority::Background };
            window.agents_waiting += usize::from(agent && since == now);
            match window.take(now, priority) {
                Ok(()) => {
                    calls += 1;
                    let arrival = now + drawn(calls, 25, 250);
                    let end = arrival + drawn(calls * 7, 25, 250);
                    arrivals.push(arrival);
                    events.push(std::cmp::Reverse((end, Event::End)));
                    window.agents_waiting -= usize::from(agent);
                    let pause = if agent { drawn(calls, 700, 9_000) } else { Duration::ZERO };
                    longest = if agent { longest.max(now - since) } else { longest };
                    events.push(ask(end + pause, agent));
                }
                Err(Wait::Until(at)) => {
                    let at = at.max(now + Duration::from_micros(1));
                    events.push(std::cmp::Reverse((at, Event::Ask { agent, since })));
                }
                Err(Wait::ForAnEnd) => {
                    let at = now + Duration::from_millis(5);
                    events.push(std::cmp::Reverse((at, Event::Ask { agent, since })));
                }
            }
        }
        arrivals.sort();
        (arrivals, longest)
    }

    fn most_in_ten_seconds(arrivals: &[Instant]) -> usize {
        let within = |first: usize| {
            let end = arrivals[first] + Duration::from_secs(10);
            arrivals[first..].iter().take_while(|at| **at < end).count()
        };
        (0..arrivals.len()).map(within).max().unwrap_or(0)
    }

    #[test]
    fn t8_no_ten_seconds_hold_more_than_the_limit_and_95_percent_of_the_rate_is_used() {
        for limit in [100, 110, 190] {
            let mut window = RollingWindow::new(limit, WINDOW);
            let (arrivals, _) = simulate(&mut window, Duration::from_secs(600), false);
            let most = most_in_ten_seconds(&arrivals);
            assert!(most <= limit, "{most} requests in ten seconds, {limit} are allowed");
            #[expect(clippy::cast_precision_loss, reason = "a few thousand")]
            let used = arrivals.len() as f64 / (60.0 * limit as f64);
            assert!(used > 0.95, "only {used} of {limit} is used");
        }
    }

    #[test]
    fn an_agent_never_waits_long_behind_a_sync() {
        let mut window = RollingWindow::new(110, WINDOW);
        let (arrivals, longest) = simulate(&mut window, Duration::from_secs(600), true);
        assert!(most_in_ten_seconds(&arrivals) <= 110);
        assert!(longest < Duration::from_millis(200), "an agent waited {longest:?}");
    }

    #[test]
    fn after_a_refusal_nobody_asks_before_the_pause_is_over() {
        let budget = Budget::new(None);
        budget.block(Lane::General, Duration::from_secs(5));
        let now = Instant::now();
        let Wait::Until(again) = budget.general.window().take(now, Priority::Background).unwrap_err() else {
            panic!("the end of the pause is known");
        };
        assert!(again > now + Duration::from_secs(4));
        let search = budget.search.window().take(now, Priority::Background);
        assert!(search.is_ok(), "search has its own lane");
    }

    #[tokio::test]
    async fn the_last_of_the_day_is_for_agents() {
        let budget = Budget::new(None);
        budget.learn_day(Daily { limit: 1_000, remaining: 22 });
        let under_way = budget.wait(Lane::General, Priority::Background).await.unwrap();
        budget.learn_day(Daily { limit: 1_000, remaining: 21 });
        assert!(budget.wait(Lane::General, Priority::Background).await.is_err(), "one may still be taken");
        drop(under_way);
        assert!(budget.wait(Lane::General, Priority::Background).await.is_ok());
        budget.learn_day(Daily { limit: 1_000, remaining: 20 });
        assert_eq!(budget.wait(Lane::General, Priority::Background).await.err(), Some(DayIsOver));
        assert!(budget.wait(Lane::General, Priority::Agent).await.is_ok());
    }
}
