use super::*;

impl Bench {
    /// A job that is examined: its records are there, its conclusion waits.
    async fn examined(&self, job: i64) {
        let plan = self.claim().await;
        assert_eq!(plan.job_id, Some(job));
        self.catalogue.begin_job(&plan).await.unwrap();
        self.catalogue.plan_done(&plan, 7, &[Shard { payload: "0".into() }]).await.unwrap();
        let shard = self.claim().await;
        let all = records(&["a", "b", "c", "d", "e", "f", "g"]);
        self.catalogue.store_records(&shard, &all, &[]).await.unwrap();
        self.catalogue.shard_done(&shard).await.unwrap();
    }

    /// Examined and completed, with a finding.
    async fn finished(&self, job: i64) {
        self.examined(job).await;
        self.catalogue.finish_job(&self.claim().await, &outcome(&report())).await.unwrap();
    }

    /// How many records and findings of a job are there.
    async fn left(&self, job: i64) -> (usize, usize) {
        let records = self.catalogue.records_of(job).next().await.unwrap().len();
        let filter = FindingFilter::default();
        (records, self.catalogue.findings(job, &filter, 99).await.unwrap().len())
    }
}

#[test]
fn what_nobody_reads_any_more_goes_and_what_somebody_may_read_stays() {
    on_both(async |bench| {
        let catalogue = &bench.catalogue;
        let team = bench.team("radiant").await;
        let found = report().all_findings().count();
        assert!(found > 0);

        let first = bench.job_of(team).await;
        let set = catalogue.job(first).await.unwrap().dataset_id;
        bench.finished(first).await;
        let second = catalogue.rerun(set, None, 0).await.unwrap();
        bench.examined(second).await;
        // The pages show the first while the second is under way.
        let spent = catalogue.remove_spent_by(3).await.unwrap();
        assert_eq!(spent, Spent { records: 7, findings: 0 });
        assert_eq!(bench.left(first).await, (0, found));
        assert_eq!(bench.left(second).await, (7, 0));

        // It fails, and may be tried again.
        let conclude = bench.claim().await;
        catalogue.give_up(&conclude, "the storage burnt").await.unwrap();
        assert_eq!(catalogue.remove_spent_by(3).await.unwrap(), Spent::default());
        catalogue.retry(conclude.item_id).await.unwrap();
        assert_eq!(bench.left(second).await, (7, 0));
        catalogue.give_up(&bench.claim().await, "once more").await.unwrap();

        let third = catalogue.rerun(set, None, 0).await.unwrap();
        bench.finished(third).await;
        let spent = catalogue.remove_spent_by(3).await.unwrap();
        assert_eq!(spent, Spent { records: 14, findings: found as u64 });
        for (job, left) in [(first, (0, 0)), (second, (0, 0)), (third, (0, found))] {
            assert_eq!(bench.left(job).await, left, "job {job}");
        }

        let fourth = catalogue.rerun(set, None, 0).await.unwrap();
        bench.examined(fourth).await;
        catalogue.cancel(fourth).await.unwrap();
        let expired = catalogue.expire(Duration::from_hours(1)).await.unwrap();
        assert_eq!(expired.spent, Spent { records: 7, findings: 0 });
        assert_eq!(bench.left(third).await, (0, found));
        assert_eq!(catalogue.remove_spent().await.unwrap(), Spent::default());
    });
}
