//! The queue against a model of it in memory, whatever the order of calls.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::catalogue::Catalogue;

#[derive(Clone, Debug)]
enum Step {
    Enqueue {
        team: i64,
        key: u8,
        priority: i64,
    },
    Claim,
    /// By one of the leases that were ever given, dead ones too.
    Finish(prop::sample::Index),
    Heartbeat(prop::sample::Index),
    Release(prop::sample::Index),
    Fail(prop::sample::Index),
    GiveUp(prop::sample::Index),
    Wait(u8),
}

fn step() -> impl Strategy<Value = Step> {
    let any = any::<prop::sample::Index>;
    prop_oneof![
        4 => (1..4i64, 0..30u8, 0..2i64)
            .prop_map(|(team, key, priority)| Step::Enqueue { team, key, priority }),
        6 => Just(Step::Claim),
        2 => any().prop_map(Step::Finish),
        1 => any().prop_map(Step::Heartbeat),
        1 => any().prop_map(Step::Release),
        1 => any().prop_map(Step::Fail),
        1 => any().prop_map(Step::GiveUp),
        3 => (1..20u8).prop_map(Step::Wait),
    ]
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum State {
    Queued { from: u64 },
    Leased { until: u64, token: i64 },
    Ended,
}

#[derive(Clone, Debug)]
struct Item {
    team: i64,
    priority: i64,
    state: State,
    failures: i64,
    lapses: i64,
}

/// Items by number, the time in seconds, and teams in the order of their last turns.
#[derive(Debug, Default)]
struct Model {
    now: u64,
    items: BTreeMap<i64, Item>,
    keys: BTreeMap<u8, i64>,
    served: BTreeMap<i64, u64>,
    turns: u64,
}

impl Model {
    fn take_back(&mut self) {
        for item in self.items.values_mut() {
            if let State::Leased { until, .. } = item.state
                && until < self.now
            {
                item.lapses += 1;
                let dead = item.lapses >= MAX_LAPSES;
                item.state = if dead { State::Ended } else { State::Queued { from: self.now } };
            }
        }
    }

    /// The item that is to be given out now.
    fn next(&self) -> Option<i64> {
        let ready = |item: &&Item| matches!(item.state, State::Queued { from } if from <= self.now);
        let running = |team| {
            let of_team =
                |item: &&Item| item.team == team && matches!(item.state, State::Leased { .. });
            self.items.values().filter(of_team).count()
        };
        let first = |team| {
            let of_team = self.items.iter().filter(|(_, item)| item.team == team && ready(item));
            of_team.min_by_key(|(id, item)| (-item.priority, **id))
        };
        let heads = self.served.keys().filter_map(|team| Some((*team, first(*team)?)));
        heads
            .min_by_key(|(team, (_, item))| {
                (-item.priority, running(*team), self.served[team], *team)
            })
            .map(|(_, (id, _))| *id)
    }

    fn held(&mut self, lease: &Lease) -> Option<&mut Item> {
        let item = self.items.get_mut(&lease.item_id)?;
        matches!(item.state, State::Leased { token, .. } if token == lease.token).then_some(item)
    }
}

async fn run(bench: &Bench, catalogue: &Catalogue, steps: &[Step]) {
    let mut model = Model::default();
    let mut leases: Vec<Lease> = Vec::new();
    for step in steps {
        if let Step::Finish(which)
        | Step::Heartbeat(which)
        | Step::Release(which)
        | Step::Fail(which)
        | Step::GiveUp(which) = step
        {
            if !leases.is_empty() {
                let lease = leases[which.index(leases.len())].clone();
                change(catalogue, &mut model, step, &lease).await;
            }
            continue;
        }
        match step {
            Step::Enqueue { team, key, priority } => {
                let new = NewItem { priority: *priority, ..item(*team, &key.to_string()) };
                let (id, newly) = catalogue.enqueue(&new).await.unwrap();
                assert_eq!(newly, !model.keys.contains_key(key));
                model.served.entry(*team).or_default();
                if newly {
                    let state = State::Queued { from: model.now };
                    let (team, priority) = (*team, *priority);
                    let new = Item { team, priority, state, failures: 0, lapses: 0 };
                    model.items.insert(id, new);
                    model.keys.insert(*key, id);
                }
                assert_eq!(model.keys[key], id);
            }
            Step::Claim => {
                model.take_back();
                let lease = catalogue.claim(1, LEASE).await.unwrap();
                let expected = model.next();
                assert_eq!(lease.as_ref().map(|lease| lease.item_id), expected, "{model:?}");
                let Some(lease) = lease else { continue };
                model.turns += 1;
                model.served.insert(lease.team_id, model.turns);
                let until = model.now + LEASE.as_secs();
                let item = model.items.get_mut(&lease.item_id).unwrap();
                item.state = State::Leased { until, token: lease.token };
                let earlier = leases.iter().filter(|old| old.item_id == lease.item_id);
                assert!(earlier.map(|old| old.token).all(|token| token < lease.token));
                leases.push(lease);
            }
            Step::Wait(seconds) => {
                model.now += u64::from(*seconds);
                bench.advance(Duration::from_secs(u64::from(*seconds))).await;
            }
            _ => unreachable!(),
        }
    }
}

/// A step by the holder of a lease, who may have lost it.
async fn change(catalogue: &Catalogue, model: &mut Model, step: &Step, lease: &Lease) {
    let now = model.now;
    let held = model.held(lease);
    let outcome = match step {
        Step::Finish(_) => catalogue.chore_done(lease).await,
        Step::Heartbeat(_) => catalogue.heartbeat(lease, LEASE).await,
        Step::Release(_) => catalogue.release(lease).await,
        Step::Fail(_) => catalogue.fail(lease, "away").await.map(|_| ()),
        _ => catalogue.give_up(lease, "unfit").await,
    };
    let Some(item) = held else {
        assert!(matches!(outcome, Err(Error::LeaseLost)), "{step:?} {outcome:?}");
        return;
    };
    outcome.unwrap();
    item.state = match step {
        Step::Heartbeat(_) => State::Leased { until: now + LEASE.as_secs(), token: lease.token },
        Step::Release(_) => State::Queued { from: now },
        Step::Fail(_) => {
            item.failures += 1;
            if item.failures >= MAX_FAILURES {
                State::Ended
            } else {
                State::Queued { from: now + back_off(item.failures).as_secs() }
            }
        }
        _ => State::Ended,
    };
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, max_shrink_iters: 200, ..ProptestConfig::default() })]

    #[test]
    fn the_queue_does_what_its_model_does(steps in prop::collection::vec(step(), 1..120)) {
        on_both(async |bench| {
            bench.stop_clock().await;
            run(bench, &bench.catalogue, &steps).await;
        });
    }
}
