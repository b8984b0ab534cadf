use super::*;

#[test]
fn s_054_every_shipped_profile_parses_and_says_where_it_comes_from() {
    for (name, text) in profile::SHIPPED {
        let profile = Profile::parse(text).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(profile.name, *name);
        assert!(!profile.source.is_empty() && !profile.about.en.is_empty(), "{name}");
        assert_ne!(profile.about.en, profile.about.zh, "{name}");
        assert_eq!(Profile::shipped(name), Some(profile));
    }
    assert_eq!(Profile::shipped("no-such"), None);
}
