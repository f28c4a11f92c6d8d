//! What attackers try through HTTP.

mod sessions;
mod text;
mod tokens;
