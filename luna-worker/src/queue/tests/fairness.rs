use super::*;

/// Teams in the order in which they are served, each item done at once.
async fn served(bench: &Bench, claims: usize) -> Vec<i64> {
    let mut teams = Vec::new();
    for _ in 0..claims {
        let lease = bench.claim().await;
        bench.catalogue.chore_done(&lease).await.unwrap();
        teams.push(lease.team_id);
    }
    teams
}

#[test]
fn a_team_with_thousands_of_items_does_not_starve_another() {
    on_both(async |bench| {
        fill(bench, 1, 10_000).await;
        assert_eq!(served(bench, 3).await, [1, 1, 1]);
        fill(bench, 2, 3).await;
        fill(bench, 3, 2).await;
        assert_eq!(served(bench, 8).await, [2, 3, 1, 2, 3, 1, 2, 1]);
    });
}

#[test]
fn workers_are_shared_by_teams_not_by_items() {
    on_both(async |bench| {
        fill(bench, 1, 100).await;
        fill(bench, 2, 100).await;
        let mut held = Vec::new();
        for _ in 0..8 {
            held.push(bench.claim().await);
        }
        let of = |team| held.iter().filter(|lease| lease.team_id == team).count();
        assert_eq!((of(1), of(2)), (4, 4));
        // Team 2 lets go of all; the next four are its own, whoever was served last.
        for lease in held.iter().filter(|lease| lease.team_id == 2) {
            bench.catalogue.chore_done(lease).await.unwrap();
        }
        for _ in 0..4 {
            assert_eq!(bench.claim().await.team_id, 2);
        }
    });
}

#[test]
fn jobs_of_a_team_take_turns_by_their_shards() {
    on_both(async |bench| {
        let mut items = Vec::new();
        for turn in 0..50 {
            items.push(NewItem { turn, ..item(1, &format!("big:{turn}")) });
        }
        for turn in 0..2 {
            items.push(NewItem { turn, ..item(1, &format!("small:{turn}")) });
        }
        for new in &items {
            bench.catalogue.enqueue(new).await.unwrap();
        }
        let mut small = Vec::new();
        for place in 0..52 {
            let lease = bench.claim().await;
            let sql = "SELECT item_key FROM queue WHERE id = $1";
            let values = crate::catalogue::engine::values![lease.item_id];
            let row = bench.catalogue.db.first(sql, values).await.unwrap().unwrap();
            if row.get::<String>("item_key").unwrap().starts_with("small") {
                small.push(place);
            }
        }
        assert_eq!(small, [1, 3]);
    });
}

#[test]
fn a_higher_priority_goes_before_all_turns() {
    on_both(async |bench| {
        bench.catalogue.enqueue(&NewItem { priority: -1, ..item(1, "rerun") }).await.unwrap();
        bench.catalogue.enqueue(&item(2, "a")).await.unwrap();
        bench.catalogue.enqueue(&item(2, "b")).await.unwrap();
        bench.catalogue.enqueue(&NewItem { priority: 1, ..item(2, "c") }).await.unwrap();
        let mut order = Vec::new();
        for _ in 0..4 {
            order.push(bench.claim().await.priority);
        }
        assert_eq!(order, [1, 0, 0, -1]);
    });
}

#[test]
fn no_two_claimers_get_one_item() {
    on_both(async |bench| {
        for team in 1..=3 {
            fill(bench, team, 40).await;
        }
        let claimers: Vec<_> = (0..6)
            .map(|worker| {
                let catalogue = bench.catalogue.clone();
                tokio::spawn(async move {
                    let mut taken = Vec::new();
                    let mut nothing = 0;
                    // Nothing may mean that all that was seen was just being taken.
                    while nothing < 3 {
                        match catalogue.claim(worker, LEASE).await.unwrap() {
                            Some(lease) => taken.push(lease.item_id),
                            None => nothing += 1,
                        }
                    }
                    taken
                })
            })
            .collect();
        let mut all = Vec::new();
        for claimer in claimers {
            all.extend(claimer.await.unwrap());
        }
        let taken = all.len();
        all.sort_unstable();
        all.dedup();
        assert_eq!((taken, all.len()), (120, 120));
    });
}
