use super::million::plain;
use super::*;

/// Numbers below a bound, the same every time.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % sides
    }
}

/// Some of ten files, each with a key of its own; some as they were announced before.
fn some_files(dice: &mut Dice, step: usize) -> Vec<NewFile> {
    let mut files = Vec::new();
    for number in 0..10 {
        if dice.roll(3) == 0 {
            files.push(NewFile {
                path: format!("{number}.png"),
                object_key: format!("key {step} {number}"),
                content_type: "image/png".into(),
                size_bytes: 1 + dice.roll(2) as u64,
                sha256: (dice.roll(2) == 0).then(|| "aa".into()),
            });
        }
    }
    files
}

/// Does one thing to one of the data sets of a team, or begins one.
async fn step(bench: &Bench, team: i64, dice: &mut Dice, number: usize) {
    let catalogue = &bench.catalogue;
    let sets = catalogue.datasets(Some(team), None, 99).await.unwrap();
    let chosen = (!sets.is_empty()).then(|| &sets[dice.roll(sets.len())]);
    match (dice.roll(10), chosen) {
        (0..5, Some(set)) if set.state == DatasetState::Uploading => {
            let (files, _) = catalogue.add_files(set.id, &some_files(dice, number)).await.unwrap();
            for file in files.iter().filter(|file| file.received_at.is_none()) {
                let (key, size) = (&file.object_key, file.size_bytes);
                let done = catalogue.mark_received(set.id, file.id, key, size, None);
                done.await.unwrap();
            }
        }
        (5, Some(set)) => {
            catalogue.complete(set.id).await.unwrap();
        }
        (6, Some(set)) if sets.len() > 4 => {
            catalogue.delete_dataset(set.id).await.unwrap();
        }
        (7 | 8, Some(set)) => {
            let remove = (0..dice.roll(5)).map(|number| format!("{number}.png")).collect();
            let replaces = Some(set.id);
            let new = NewDataset { team_id: team, replaces, remove, ..NewDataset::default() };
            catalogue.start_dataset(&new).await.unwrap();
        }
        _ => {
            let new = NewDataset { team_id: team, ..NewDataset::default() };
            catalogue.start_dataset(&new).await.unwrap();
        }
    }
}

async fn held(bench: &Bench, team: i64) -> (u64, u64) {
    let usage = bench.catalogue.usage(team).await.unwrap();
    (usage.files, usage.bytes)
}

#[test]
fn what_a_team_holds_is_what_counting_would_find() {
    on_both(async |bench| {
        let teams = [bench.team("a").await, bench.team("b").await];
        let mut dice = Dice(7);
        let mut most = 0;
        for number in 0..300 {
            step(bench, teams[number % 2], &mut dice, number).await;
            for team in teams {
                let plain = plain::usage(bench, team).await.unwrap();
                assert_eq!(held(bench, team).await, plain, "after step {number}");
                most = most.max(plain.0);
            }
        }
        assert!(most > 20, "hardly a file was announced: this shows nothing");
        assert_eq!(bench.catalogue.recount_usage().await.unwrap(), 0);
        // An older version of LUNA is at work.
        bench.sql("DELETE FROM files WHERE path = '1.png'").await;
        assert!(bench.catalogue.recount_usage().await.unwrap() > 0);
        for team in teams {
            assert_eq!(held(bench, team).await, plain::usage(bench, team).await.unwrap());
        }
    });
}

#[test]
fn what_many_announce_and_delete_at_once_is_counted_all_the_same() {
    on_both(async |bench| {
        let team = bench.team("radiant").await;
        let crowd: Vec<_> = (0..6_usize)
            .map(|worker| {
                let bench = Bench { catalogue: bench.catalogue.clone(), url: bench.url.clone() };
                tokio::spawn(async move {
                    let new = NewDataset { team_id: team, ..NewDataset::default() };
                    for round in 0..10 {
                        let catalogue = &bench.catalogue;
                        let set = catalogue.start_dataset(&new).await.unwrap().id;
                        let files = some_files(&mut Dice(worker as u64), worker * 100 + round);
                        catalogue.add_files(set, &files).await.unwrap();
                        if round % 3 == 0 {
                            catalogue.recount_usage().await.unwrap();
                        } else if round % 3 == 1 {
                            catalogue.delete_dataset(set).await.unwrap();
                        }
                    }
                })
            })
            .collect();
        for worker in crowd {
            worker.await.unwrap();
        }
        let plain = plain::usage(bench, team).await.unwrap();
        assert!(plain.0 > 20);
        assert_eq!(held(bench, team).await, plain);
    });
}
