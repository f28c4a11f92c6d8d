//! Quantisation tables out of DQT segments (T.81 B.2.4.1).

/// A table in zigzag order.
pub(crate) type Table = [u16; 64];

/// The tables of a DQT payload with their numbers, 0 to 3; `None` for what is malformed, as the last.
pub(crate) fn tables(payload: &[u8]) -> impl Iterator<Item = Option<(usize, Table)>> {
    let mut rest = payload;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let first = table(rest);
        rest = first.map_or(&[], |(_, _, rest)| rest);
        Some(first.map(|(number, table, _)| (number, table)))
    })
}

fn table(payload: &[u8]) -> Option<(usize, Table, &[u8])> {
    let (&head, rest) = payload.split_first()?;
    let size = match head >> 4 {
        0 => 1,
        1 => 2,
        _ => return None,
    };
    let (values, rest) = rest.split_at_checked(size << 6)?;
    let mut table = [0; 64];
    for (value, bytes) in table.iter_mut().zip(values.chunks_exact(size)) {
        *value = bytes.iter().fold(0, |value, &byte| value << 8 | u16::from(byte));
    }
    let number = usize::from(head & 15);
    (number < 4 && !table.contains(&0)).then_some((number, table, rest))
}
