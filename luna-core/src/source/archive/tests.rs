use luna_fixtures::write::archive::{Form, Member, Oddities, gzip, write};
use proptest::prelude::*;

use super::*;
use crate::limits::MemoryBudget;

fn opened(bytes: Vec<u8>) -> Archive {
    Archive::from_bytes(bytes, &Limits::default()).unwrap()
}

fn odd(path: &str, bytes: &[u8], odd: Oddities) -> Member {
    Member { odd, ..Member::file(path, bytes) }
}

/// Defects of the archive, then of its members, listed and read.
fn defects(archive: &Archive) -> Vec<String> {
    let mut all: Vec<String> =
        archive.defects().iter().map(|(_, defect)| format!("{defect:?}")).collect();
    for item in archive.items().unwrap() {
        all.extend(item.defects.iter().map(|defect| format!("{}: {defect:?}", item.path)));
        if let Err(ReadError::Damaged { defects, .. }) = archive.read(&item.path, 1 << 30) {
            all.extend(defects.iter().map(|defect| format!("{}: {defect:?}", item.path)));
        }
    }
    all
}

fn sound() -> Vec<Member> {
    vec![Member::file("a.png", &[7; 3000]), Member::file("sub/b.png", b"12")]
}

#[test]
fn sound_archives_have_no_defects() {
    for form in Form::ALL {
        assert_eq!(defects(&opened(write(form, &sound()))), Vec::<String>::new(), "{form:?}");
    }
}

#[test]
fn members_are_listed_without_the_dot_before_them_and_folders_not_at_all() {
    let members = [
        Member::file("./a.png", b"1"),
        odd("./sub/", b"", Oddities { kind: Some('5'), ..Oddities::default() }),
    ];
    let archive = opened(write(Form::Tar, &members));
    let paths: Vec<_> = archive.items().unwrap().iter().map(|item| item.path.to_string()).collect();
    assert_eq!(paths, ["a.png"]);
    assert_eq!(defects(&archive), Vec::<String>::new());
}

#[test]
fn gnu_and_pax_names_are_read() {
    let long = "x/".repeat(80) + "a.png";
    let gnu = odd("short", b"1", Oddities { gnu_name: Some(long.clone()), ..Oddities::default() });
    for member in [gnu, Member::file(&long, b"1")] {
        let archive = opened(write(Form::Tar, &[member]));
        let item = archive.items().unwrap().remove(0);
        assert_eq!(item.path.as_str(), long);
        assert_eq!(&*archive.read(&item.path, 9).unwrap(), b"1");
        assert_eq!(defects(&archive), Vec::<String>::new());
    }
}

#[test]
fn what_two_programs_read_differently_is_said() {
    let usual = Oddities::default;
    let cases: [(&str, Oddities); 6] = [
        ("local header calls it", Oddities { local_name: Some("c".into()), ..usual() }),
        ("local header gives the size", Oddities { local_size: Some(9), ..usual() }),
        ("Unpacks to 2 bytes", Oddities { size: Some(9), ..usual() }),
        ("Unpacks to more", Oddities { size: Some(1), ..usual() }),
        ("Encrypted", Oddities { encrypted: true, ..usual() }),
        ("method 9 (Deflate64)", Oddities { method: Some(9), ..usual() }),
    ];
    for (expected, oddities) in cases {
        let found = defects(&opened(write(Form::Zip, &[odd("a", b"12", oddities)])));
        assert!(found.len() == 1 && found[0].contains(expected), "{expected}: {found:?}");
    }
}

#[test]
fn a_size_that_only_one_of_two_tar_headers_gives_is_said() {
    // The rest of the data would be read as headers by whoever believes the ustar header.
    let pax = [("size".to_owned(), "1024".to_owned())].into();
    let member = odd("a", &[b'x'; 1024], Oddities { size: Some(0), pax, ..Oddities::default() });
    let found = defects(&opened(write(Form::Tar, &[member, Member::file("b", b"1")])));
    assert!(found.len() == 1 && found[0].contains("PAX header gives 1,024"), "{found:?}");
}

#[test]
fn what_stands_before_and_behind_is_said() {
    let tar = write(Form::Tar, &sound());
    let again = opened([tar.clone(), tar.clone()].concat());
    assert!(defects(&again)[0].contains("Another archive begins"), "{:?}", defects(&again));
    let zip = write(Form::Zip, &sound());
    let prefixed = opened([b"PK\x07\x08".to_vec(), zip.clone()].concat());
    assert!(defects(&prefixed)[0].contains("before the first member"), "{:?}", defects(&prefixed));
    assert_eq!(&*prefixed.read(&"sub/b.png".into(), 9).unwrap(), b"12", "offsets are mended");
    let followed = opened([zip.clone(), b"junk".to_vec()].concat());
    assert!(defects(&followed)[0].contains("behind the end"), "{:?}", defects(&followed));
}

#[test]
fn checksums_of_compressed_streams_are_held_against_what_came_out() {
    let mut bytes = write(Form::TarGz, &sound());
    let at = bytes.len() - 8;
    bytes[at] ^= 1;
    assert!(defects(&opened(bytes))[0].contains("Checksum"));
    let mut bytes = write(Form::TarZst, &sound());
    let at = bytes.len() - 1;
    bytes[at] ^= 1;
    assert!(defects(&opened(bytes))[0].contains("Checksum"));
}

#[test]
fn several_gzip_members_and_padding_are_one_stream() {
    let tar = write(Form::Tar, &sound());
    let (front, back) = tar.split_at(700);
    let bytes = [gzip(front), gzip(back), vec![0; 100]].concat();
    assert_eq!(defects(&opened(bytes)), Vec::<String>::new());
}

#[test]
fn budgets_stop_the_listing_at_the_limit() {
    let limits = Limits { archive_entries: 2, ..Limits::default() };
    let members = [Member::file("a", b"1"), Member::file("b", b"2"), Member::file("c", b"3")];
    for form in Form::ALL {
        let within = Archive::from_bytes(write(form, &members[..2]), &limits).unwrap();
        assert_eq!(defects(&within), Vec::<String>::new(), "the n-th passes");
        let beyond = Archive::from_bytes(write(form, &members), &limits).unwrap();
        assert!(defects(&beyond)[0].contains("archive_entries"), "{form:?}");
        assert_eq!(beyond.items().unwrap().len(), 2);
    }
    // 128 MiB of zeros: a thousand to one.
    let bomb = [Member::file("zeros", &vec![0; 128 << 20])];
    for form in [Form::Zip, Form::TarGz] {
        let found = defects(&opened(write(form, &bomb)));
        assert!(found.iter().any(|it| it.contains("archive_ratio")), "{form:?}: {found:?}");
    }
}

#[test]
fn members_of_a_compressed_tar_are_read_in_any_order_and_all_at_once() {
    let names: Vec<String> = (0..40).map(|number| format!("{number:02}")).collect();
    let members: Vec<Member> =
        names.iter().map(|name| Member::file(name, name.repeat(500).as_bytes())).collect();
    for form in [Form::TarGz, Form::TarZst] {
        let archive = opened(write(form, &members));
        for name in names.iter().rev() {
            let bytes = archive.read(&name.as_str().into(), 1 << 20).unwrap();
            assert_eq!(*bytes, *name.repeat(500).as_bytes());
        }
        let items = archive.items().unwrap();
        let seen = Mutex::new(Vec::new());
        // Room for one member at a time: nobody may wait for ever.
        let memory = MemoryBudget::new(1_000);
        let reading = Reading { max_bytes: 1 << 20, memory: &memory, stop: &|| false };
        archive.each(&items, &reading, &|number, bytes| {
            assert_eq!(*bytes.unwrap(), *names[number].repeat(500).as_bytes());
            seen.lock().unwrap().push(number);
        });
        let mut seen = seen.into_inner().unwrap();
        seen.sort_unstable();
        assert_eq!(seen, (0..40).collect::<Vec<_>>());
        assert_eq!(memory.in_use(), 0);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_damage_is_survived(
        form in prop::sample::select(Form::ALL.to_vec()),
        cut in any::<prop::sample::Index>(),
        hits in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..6),
    ) {
        let mut bytes = write(form, &sound());
        for (at, byte) in hits {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        bytes.truncate(cut.index(bytes.len()) + 1);
        if let Some(archive) = Archive::from_bytes(bytes, &Limits::default()) {
            defects(&archive);
        }
    }
}
