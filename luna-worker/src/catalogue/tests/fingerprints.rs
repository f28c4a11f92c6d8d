use luna_core::{Digest, Kind};

use super::*;

/// A report of pictures, each with its pixels and its file.
fn pictures(all: &[(&str, u8, u8)]) -> Report {
    let mut report = report();
    let one = report.files.remove(0);
    for (path, pixels, file) in all {
        let mut picture = one.clone();
        picture.path = (*path).to_owned();
        picture.facts.kind = Kind::Image;
        picture.facts.fingerprints.pixels = (*pixels > 0).then(|| Digest::from([*pixels; 32]));
        picture.facts.sha256 = Some(Digest::from([*file; 32]));
        report.files.push(picture);
    }
    report
}

impl Bench {
    async fn holds(&self, team_id: i64, all: &[(&str, u8, u8)]) -> i64 {
        let job = self.planned(team_id, 0, 0).await;
        let lease = self.claim().await;
        let report = pictures(all);
        self.catalogue.finish_job(&lease, &outcome(&report)).await.unwrap();
        self.catalogue.job(job).await.unwrap().dataset_id
    }
}

/// The first byte of the content, whether the files are alike, and where.
type Told<'a> = (&'a str, bool, Vec<(i64, &'a str)>);

fn told(shared: &[SharedPicture]) -> Vec<Told<'_>> {
    shared
        .iter()
        .map(|it| {
            let places = it.places.iter().map(|it| (it.team_id, it.path.as_str())).collect();
            (&it.content[..2], it.is_same_file, places)
        })
        .collect()
}

#[test]
fn pictures_of_several_teams_are_told_of_the_newest_versions_alone() {
    on_both(async |bench| {
        let catalogue = &bench.catalogue;
        let (a, b) = (bench.team("a").await, bench.team("b").await);
        let c = bench.team("c").await;
        let first = bench.holds(a, &[("same.png", 1, 11), ("pixels.png", 2, 12)]).await;
        bench.holds(b, &[("x/same.png", 1, 11), ("pixels.tif", 2, 99), ("own.png", 3, 13)]).await;
        bench.holds(b, &[("once more own.png", 3, 13)]).await;
        bench.holds(c, &[("blank.png", 0, 14)]).await;

        let shared = catalogue.shared_pictures(None, None, 9).await.unwrap();
        assert_eq!(
            told(&shared),
            [
                ("01", true, vec![(a, "same.png"), (b, "x/same.png")]),
                ("02", false, vec![(a, "pixels.png"), (b, "pixels.tif")]),
            ]
        );
        let after = Some(shared[0].content.as_str());
        let rest = catalogue.shared_pictures(None, after, 9).await.unwrap();
        assert_eq!(rest, shared[1..]);
        assert_eq!(catalogue.shared_pictures(None, None, 1).await.unwrap(), shared[..1]);
        let pairs = catalogue.team_pairs(None).await.unwrap();
        assert_eq!(pairs, [TeamPair { first: a, second: b, pictures: 2 }]);
        assert!(catalogue.team_pairs(Some("no such task")).await.unwrap().is_empty());
        assert!(catalogue.shared_pictures(None, Some("zz"), 9).await.is_err());

        // The first team mends its set: what it was does not count any more.
        let second = bench.holds(a, &[("blank.png", 0, 14)]).await;
        let sql = "UPDATE datasets SET lineage = $1, version = 2 WHERE id = $2";
        catalogue.db.run(sql, values![first, second]).await.unwrap();
        let shared = catalogue.shared_pictures(None, None, 9).await.unwrap();
        let place = vec![(a, "blank.png"), (c, "blank.png")];
        assert_eq!(told(&shared), [("0e", true, place)]);
    });
}
