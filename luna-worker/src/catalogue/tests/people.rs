use super::*;

#[test]
fn names_are_taken_once() {
    on_both(async |bench| {
        let catalogue = &bench.catalogue;
        let team = catalogue.create_team("radiant").await.unwrap();
        assert!(matches!(catalogue.create_team("radiant").await, Err(Error::Conflict { .. })));
        assert_eq!(catalogue.team(team.id).await.unwrap(), team);
        assert_eq!(catalogue.team_named("radiant").await.unwrap(), team);
        assert!(matches!(catalogue.team(99).await, Err(Error::NotFound { what: "team" })));

        let user = catalogue.create_user(team.id, "ann", "$argon2id$", Role::Admin).await.unwrap();
        let again = catalogue.create_user(team.id, "ann", "", Role::User).await;
        assert!(matches!(again, Err(Error::Conflict { .. })));
        let nowhere = catalogue.create_user(99, "bob", "", Role::User).await;
        assert!(matches!(nowhere, Err(Error::NotFound { .. })));
        catalogue.set_password(user.id, "$new$").await.unwrap();
        let changed = User { password_hash: "$new$".into(), ..user.clone() };
        assert_eq!(catalogue.user(user.id).await.unwrap(), changed);
        assert_eq!(catalogue.user_named("ann").await.unwrap(), changed);
        assert_eq!(catalogue.users_of(team.id, 0, 10).await.unwrap(), [changed]);
        assert!(!format!("{user:?}").contains("argon2id"));
        assert!(matches!(catalogue.set_password(99, "").await, Err(Error::NotFound { .. })));

        let second = catalogue.create_team("second").await.unwrap();
        assert_eq!(catalogue.teams(0, 10).await.unwrap(), [team.clone(), second.clone()]);
        assert_eq!(catalogue.teams(team.id, 10).await.unwrap(), [second]);
    });
}

#[test]
fn an_invite_works_once_and_in_time() {
    on_both(async |bench| {
        let catalogue = &bench.catalogue;
        bench.stop_clock().await;
        let team = bench.team("radiant").await;
        let end = catalogue.now().await.unwrap().after(Duration::from_mins(1));
        for token in ["one", "two"] {
            catalogue.create_invite(team, Role::Organiser, token, end).await.unwrap();
        }
        bench.catalogue.create_user(team, "taken", "", Role::User).await.unwrap();
        let refused = catalogue.accept_invite("one", "taken", "hash").await;
        assert!(matches!(refused, Err(Error::Conflict { .. })));

        let (first, second) = tokio::join!(
            catalogue.accept_invite("one", "ann", "hash"),
            catalogue.accept_invite("one", "bob", "hash"),
        );
        let user = match (first, second) {
            (Ok(user), Err(Error::NotFound { .. })) | (Err(Error::NotFound { .. }), Ok(user)) => {
                user
            }
            other => panic!("{other:?}"),
        };
        assert_eq!((user.team_id, user.role), (team, Role::Organiser));

        bench.advance(Duration::from_mins(1)).await;
        let late = catalogue.accept_invite("two", "cy", "hash").await;
        assert!(matches!(late, Err(Error::NotFound { what: "invite" })));
    });
}

#[test]
fn a_key_works_until_it_is_revoked_or_runs_out() {
    on_both(async |bench| {
        let catalogue = &bench.catalogue;
        bench.stop_clock().await;
        let (team, other) = (bench.team("radiant").await, bench.team("other").await);
        let end = catalogue.now().await.unwrap().after(Duration::from_mins(1));
        let short =
            catalogue.create_api_key(team, "ci", "a", Scope::Write, Some(end)).await.unwrap();
        let long = catalogue.create_api_key(team, "cd", "b", Scope::Read, None).await.unwrap();
        assert_eq!(catalogue.api_key("a").await.unwrap(), short);
        assert_eq!(catalogue.api_keys_of(team).await.unwrap(), [short, long.clone()]);
        bench.advance(Duration::from_mins(1)).await;
        assert!(matches!(catalogue.api_key("a").await, Err(Error::NotFound { .. })));

        assert!(matches!(
            catalogue.revoke_api_key(other, long.id).await,
            Err(Error::NotFound { .. })
        ));
        assert_eq!(catalogue.api_key("b").await.unwrap(), long);
        catalogue.revoke_api_key(team, long.id).await.unwrap();
        catalogue.revoke_api_key(team, long.id).await.unwrap();
        assert!(matches!(catalogue.api_key("b").await, Err(Error::NotFound { .. })));
    });
}

#[test]
fn profiles_and_tasks_have_versions_that_stay() {
    on_both(async |bench| {
        let catalogue = &bench.catalogue;
        let first = catalogue.keep_profile("chest", "a = 1", "h1").await.unwrap();
        assert_eq!(catalogue.keep_profile("chest", "a = 1", "h1").await.unwrap(), first);
        let second = catalogue.keep_profile("chest", "a = 2", "h2").await.unwrap();
        assert_eq!((first.version, second.version), (1, 2));
        assert_eq!(catalogue.profile(first.id).await.unwrap(), first);
        let all = catalogue.profile_versions("chest").await.unwrap();
        assert_eq!(all, [second.clone(), first.clone()]);
        let bone = catalogue.keep_profile("bone", "", "h3").await.unwrap();
        assert_eq!(catalogue.profiles().await.unwrap(), [bone, second]);

        let new = NewTask {
            name: "phase 1".into(),
            profile_id: Some(first.id),
            body: "{}".into(),
            ..NewTask::default()
        };
        let task = catalogue.keep_task(&new).await.unwrap();
        let later = catalogue
            .keep_task(&NewTask { closes_at: Some(Moment(7)), ..new.clone() })
            .await
            .unwrap();
        assert_eq!((task.version, later.version), (1, 2));
        assert_eq!(catalogue.task(task.id).await.unwrap(), task);
        assert_eq!(catalogue.task_named("phase 1").await.unwrap(), later);
        assert_eq!(catalogue.tasks().await.unwrap(), [later]);
        let lost = catalogue.keep_task(&NewTask { profile_id: Some(99), ..new }).await;
        assert!(matches!(lost, Err(Error::NotFound { .. })));

        let team = bench.team("radiant").await;
        let set = NewDataset { team_id: team, task_id: Some(task.id), ..NewDataset::default() };
        let dataset = catalogue.start_dataset(&set).await.unwrap();
        let job = catalogue.complete(dataset.id).await.unwrap().job_id;
        assert_eq!(catalogue.job(job).await.unwrap().profile_id, Some(first.id));
    });
}

#[test]
fn the_audit_log_only_grows() {
    on_both(async |bench| {
        let catalogue = &bench.catalogue;
        let team = bench.team("radiant").await;
        let first =
            catalogue.audit("user 1", Some(team), "team.create", "team 1", "{}").await.unwrap();
        let second = catalogue.audit("luna admin", None, "migrate", "", "{}").await.unwrap();
        catalogue.delete_team(team).await.unwrap();

        let all = catalogue.audit_log(None, None, 10).await.unwrap();
        assert_eq!(all.iter().map(|entry| entry.id).collect::<Vec<_>>(), [second, first]);
        let of_team = catalogue.audit_log(Some(team), None, 10).await.unwrap();
        assert_eq!(of_team.len(), 1);
        assert_eq!((of_team[0].id, of_team[0].action.as_str()), (first, "team.create"));
        assert_eq!(catalogue.audit_log(None, Some(second), 10).await.unwrap(), of_team);
        for sql in ["DELETE FROM audit_log", "UPDATE audit_log SET actor = 'nobody'"] {
            let refused = catalogue.db.run(sql, Vec::new()).await;
            assert!(matches!(refused, Err(Error::Conflict { .. })), "{refused:?}");
        }
    });
}

#[test]
fn a_refresh_token_is_good_once_and_a_stolen_one_ends_the_session() {
    on_both(async |bench| {
        let catalogue = &bench.catalogue;
        bench.stop_clock().await;
        let team = bench.team("radiant").await;
        let user = catalogue.create_user(team, "ann", "hash", Role::User).await.unwrap();
        let day = Duration::from_hours(24);
        let gone = |found: Result<User>| matches!(found, Err(Error::NotFound { what: "session" }));

        let session = catalogue.begin_session(user.id, "r1", day).await.unwrap();
        assert_eq!(catalogue.session_user(session.id).await.unwrap(), user);
        assert_eq!(catalogue.refresh_session("r1", "r2").await.unwrap(), session);
        catalogue.refresh_session("r2", "r3").await.unwrap();
        assert_eq!(catalogue.session_user(session.id).await.unwrap(), user);
        // Somebody else has the one before the newest.
        assert!(catalogue.refresh_session("r2", "r4").await.is_err());
        assert!(gone(catalogue.session_user(session.id).await));
        assert!(catalogue.refresh_session("r3", "r5").await.is_err());

        let [kept, other] = ["k", "o"].map(|token| catalogue.begin_session(user.id, token, day));
        let (kept, other) = (kept.await.unwrap(), other.await.unwrap());
        catalogue.end_sessions(Some(user.id), Some(kept.id)).await.unwrap();
        assert!(gone(catalogue.session_user(other.id).await));
        assert!(catalogue.session_user(kept.id).await.is_ok());
        bench.advance(day).await;
        assert!(gone(catalogue.session_user(kept.id).await));
        assert!(catalogue.refresh_session("k", "k2").await.is_err());

        let last = catalogue.begin_session(user.id, "l", day).await.unwrap();
        catalogue.delete_user(user.id).await.unwrap();
        assert!(gone(catalogue.session_user(last.id).await));
        let nobody = catalogue.begin_session(user.id, "n", day).await;
        assert!(matches!(nobody, Err(Error::NotFound { .. })), "{nobody:?}");
    });
}

#[test]
fn a_call_under_one_key_is_made_once() {
    on_both(async |bench| {
        let catalogue = &bench.catalogue;
        bench.stop_clock().await;
        let (first, second) = tokio::join!(
            catalogue.begin_call("user 1", "k", "hash"),
            catalogue.begin_call("user 1", "k", "hash"),
        );
        let mut both = [first.unwrap(), second.unwrap()];
        both.sort_by_key(|it| *it != Repeated::New);
        assert_eq!(both, [Repeated::New, Repeated::UnderWay]);
        let begin = async |owner: &str, request: &str| {
            catalogue.begin_call(owner, "k", request).await.unwrap()
        };
        assert_eq!(begin("user 1", "other").await, Repeated::OtherRequest);
        assert_eq!(begin("user 2", "hash").await, Repeated::New);
        catalogue.forget_call("user 2", "k").await.unwrap();
        assert_eq!(begin("user 2", "other").await, Repeated::New);

        catalogue.keep_answer("user 1", "k", 201, "{}").await.unwrap();
        let answered = Repeated::Answered { status: 201, body: "{}".to_owned() };
        assert_eq!(begin("user 1", "hash").await, answered);
        catalogue.forget_call("user 1", "k").await.unwrap();
        assert_eq!(begin("user 1", "hash").await, answered);

        // The process that took the key was killed.
        bench.advance(Duration::from_mins(3)).await;
        assert_eq!(begin("user 2", "other").await, Repeated::New);
        assert_eq!(begin("user 1", "hash").await, answered);
    });
}

#[test]
fn an_invite_is_taken_back_unless_it_was_used() {
    on_both(async |bench| {
        let catalogue = &bench.catalogue;
        let team = bench.team("radiant").await;
        let end = catalogue.now().await.unwrap().after(Duration::from_mins(1));
        let used = catalogue.create_invite(team, Role::User, "one", end).await.unwrap();
        let open = catalogue.create_invite(team, Role::User, "two", end).await.unwrap();
        catalogue.accept_invite("one", "ann", "hash").await.unwrap();
        assert!(catalogue.delete_invite(used.id).await.is_err());
        catalogue.delete_invite(open.id).await.unwrap();
        assert!(catalogue.accept_invite("two", "bob", "hash").await.is_err());
        let left = catalogue.invites_of(team).await.unwrap();
        assert_eq!(left.iter().map(|it| it.id).collect::<Vec<_>>(), [used.id]);
    });
}
