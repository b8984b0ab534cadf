//! The route table: every address of the hub, and nothing answers that is not in it.

use super::route::{Method, Route};
use super::routes;
use std::collections::HashMap;
use std::sync::LazyLock;

/// Every route, by group.
static TABLE: LazyLock<Vec<Route>> = LazyLock::new(|| {
    [
        routes::operations::ROUTES,
        routes::identity::ROUTES,
        routes::members::ROUTES,
        routes::people::ROUTES,
        routes::devices::ROUTES,
        routes::network::ROUTES,
        routes::cases::ROUTES,
        routes::schedule::ROUTES,
        routes::sessions::ROUTES,
        routes::results::ROUTES,
        routes::log::ROUTES,
    ]
    .concat()
});

/// Rows by method and number of path segments.
static INDEX: LazyLock<HashMap<(Method, usize), Vec<&'static Route>>> = LazyLock::new(|| {
    let mut index: HashMap<_, Vec<_>> = HashMap::new();
    for route in TABLE.iter() {
        index.entry((route.method, segments(route.path))).or_default().push(route);
    }
    // Plain names before parameters: `/v1/cases/x` is never somebody's verb.
    for rows in index.values_mut() {
        rows.sort_by_key(|route| route.path.matches('{').count());
    }
    index
});

/// Every route.
#[must_use]
pub fn all() -> &'static [Route] {
    &TABLE
}

/// The route of a path, and the path's parameters.
#[must_use]
pub fn find(method: Method, path: &str) -> Option<(&'static Route, Vec<(&'static str, String)>)> {
    INDEX.get(&(method, segments(path)))?.iter().find_map(|route| {
        let found = route.matches(path)?;
        Some((*route, found.into_iter().map(|(name, value)| (name, value.to_owned())).collect()))
    })
}

fn segments(path: &str) -> usize {
    path.bytes().filter(|byte| *byte == b'/').count()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_route_has_its_own_name_address_words_and_group() {
        let mut names = BTreeSet::new();
        let mut addresses = BTreeSet::new();
        for route in all() {
            assert!(names.insert(route.id), "{} is twice", route.id);
            assert!(addresses.insert((route.method, route.path)), "{} is twice", route.path);
            assert!(!route.about.is_empty() && !route.tag.is_empty(), "{}", route.id);
            let sample = route.path.replace(['{', '}'], "");
            let (found, _) = find(route.method, &sample).unwrap();
            assert_eq!(found.id, route.id, "{sample}");
        }
        assert!(names.len() > 90, "{}", names.len());
    }
}
