//! Named networks in TOML files: the shipped ones, and anyone's own.

pub mod keys;

use thiserror::Error;

use super::Conditions;
use super::conditions::LANE_KEYS;
use keys::Keys;

/// The most paths a profile may have.
pub const PATHS_MAX: usize = 8;
const NAME_MAX: usize = 32;
const TEXT_MAX: usize = 2_000;

/// A named network: its paths, and where its figures come from.
#[derive(Debug, Clone, PartialEq)]
pub struct Profile {
    /// Its name, `a-z 0-9 -`.
    pub name: String,
    /// What it is, in one line.
    pub about: About,
    /// Where the figures come from, and which of them are chosen.
    pub source: String,
    /// Its paths, at least one.
    pub paths: Vec<PathProfile>,
}

/// One line in two languages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct About {
    /// English.
    pub en: String,
    /// Chinese; the English line where a file gives none.
    pub zh: String,
}

/// One path of a profile.
#[derive(Debug, Clone, PartialEq)]
pub struct PathProfile {
    /// Its name, `a-z 0-9 -`, not `all`.
    pub name: String,
    /// From the surgeon's side to the patient's.
    pub out: Conditions,
    /// From the patient's side to the surgeon's.
    pub back: Conditions,
}

/// Why a profile is refused. Nothing of it is used.
#[derive(Debug, Clone, PartialEq, Error)]
#[non_exhaustive]
pub enum ProfileError {
    /// Not TOML at all.
    #[error("not valid TOML: {message}")]
    Syntax {
        /// What the TOML reader says, with line and column.
        message: String,
    },
    /// A key nobody knows.
    #[error("{place}: unknown key `{key}`; the nearest known key is `{nearest}`")]
    UnknownKey {
        /// Where, as a path of keys.
        place: String,
        /// The key found.
        key: String,
        /// The known key most like it.
        nearest: &'static str,
    },
    /// A key that must be there is not.
    #[error("{place}: `{key}` is missing")]
    Missing {
        /// Where.
        place: String,
        /// The key.
        key: &'static str,
    },
    /// A value of the wrong kind.
    #[error("{place}: `{key}` must be {wanted}, not {found}")]
    WrongKind {
        /// Where.
        place: String,
        /// The key.
        key: &'static str,
        /// What it must be.
        wanted: String,
        /// What it is.
        found: String,
    },
    /// A number outside its range.
    #[error("{place}: `{key}` = {value} is outside {low} to {high}")]
    OutOfRange {
        /// Where.
        place: String,
        /// The key.
        key: &'static str,
        /// The value found.
        value: f64,
        /// The least allowed.
        low: f64,
        /// The most allowed.
        high: f64,
    },
    /// Keys that do not go together.
    #[error("{place}: {problem}")]
    Together {
        /// Where.
        place: String,
        /// What is wrong.
        problem: String,
    },
}

impl Profile {
    /// Reads a profile from TOML text. Any bytes that are not a profile give an error, never a panic.
    ///
    /// ```
    /// use telehand_sim::network::Profile;
    /// let text = "name = 'lab'\n[[path]]\nname = 'a'\ndelay_ms = 20\nlos = 0.01\n";
    /// let error = Profile::parse(text).unwrap_err();
    /// assert_eq!(error.to_string(), "path `a`: unknown key `los`; the nearest known key is `loss`");
    /// ```
    pub fn parse(text: &str) -> Result<Self, ProfileError> {
        let table: toml::Table = text.parse().map_err(|error: toml::de::Error| {
            ProfileError::Syntax { message: error.to_string().trim().replace('\n', " ") }
        })?;
        let keys = Keys::new(&table, "profile");
        keys.only(&["name", "about", "about_zh", "source", "path"])?;
        let name = keys.name("name", NAME_MAX)?;
        let en = keys.text("about", TEXT_MAX)?.unwrap_or_default();
        let zh = keys.text("about_zh", TEXT_MAX)?.unwrap_or_else(|| en.clone());
        let source = keys.text("source", TEXT_MAX)?.unwrap_or_default();
        let list = keys.tables("path", PATHS_MAX)?.ok_or_else(|| keys.missing("path"))?;
        let paths = list.iter().map(PathProfile::read).collect::<Result<Vec<_>, _>>()?;
        let profile = Self { name, about: About { en, zh }, source, paths };
        profile.check_names(&keys)?;
        Ok(profile)
    }

    /// The shipped profile of that name.
    #[must_use]
    pub fn shipped(name: &str) -> Option<Self> {
        let (_, text) = SHIPPED.iter().find(|(shipped, _)| *shipped == name)?;
        // every shipped text is parsed by a test
        Self::parse(text).ok()
    }

    /// The path of that name.
    #[must_use]
    pub fn path(&self, name: &str) -> Option<&PathProfile> {
        self.paths.iter().find(|path| path.name == name)
    }

    fn check_names(&self, keys: &Keys<'_>) -> Result<(), ProfileError> {
        if self.paths.is_empty() {
            return Err(keys.together("a profile needs at least one [[path]]"));
        }
        for (index, path) in self.paths.iter().enumerate() {
            if path.name == "all" {
                return Err(
                    keys.together("a path cannot be named `all`: that word means every path")
                );
            }
            if self.paths.iter().take(index).any(|earlier| earlier.name == path.name) {
                return Err(keys.together(&format!("two paths are named `{}`", path.name)));
            }
        }
        Ok(())
    }
}

impl PathProfile {
    fn read(keys: &Keys<'_>) -> Result<Self, ProfileError> {
        let name = keys.name("name", NAME_MAX)?;
        let keys = keys.at(format!("path `{name}`"));
        let known: Vec<&'static str> =
            LANE_KEYS.iter().copied().chain(["name", "out", "back"]).collect();
        keys.only(&known)?;
        let both = Conditions::default().with_keys(&keys, true)?;
        let lane = |direction| -> Result<Conditions, ProfileError> {
            let Some(own) = keys.table(direction)? else { return Ok(both.clone()) };
            own.only(LANE_KEYS)?;
            both.with_keys(&own, false)
        };
        Ok(Self { out: lane("out")?, back: lane("back")?, name })
    }
}

/// The names of the shipped profiles, in the order of the reference page.
pub fn shipped_names() -> impl Iterator<Item = &'static str> {
    SHIPPED.iter().map(|(name, _)| *name)
}

macro_rules! shipped {
    ($($name:literal),* $(,)?) => {
        &[$(($name, include_str!(concat!("../../profiles/", $name, ".toml")))),*]
    };
}

pub(super) const SHIPPED: &[(&str, &str)] = shipped![
    "lan",
    "metro-5g",
    "shanghai-kashgar",
    "beijing-rome",
    "geo-satellite",
    "leo",
    "netfi-loss-10",
    "netfi-loss-30",
    "netfi-loss-50",
    "netfi-delay-100",
    "netfi-delay-300",
    "netfi-delay-500",
    "netfi-outage-10",
    "netfi-outage-30",
    "netfi-outage-50",
    "vista-hospital-lan",
    "vista-5g-urban",
    "vista-4g-rural",
    "vista-leo-satellite",
    "vista-geo-satellite",
    "bench-clean",
    "bench-loss1",
    "bench-loss5",
    "bench-burst",
    "bench-outage",
    "bench-burst-outage",
];
