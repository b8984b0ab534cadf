//! Who is who: a demo authority, and identities that carry their role in the certificate.
//!
//! A role and a name stand in the certificate as one subject alternative name of type URI,
//! `telehand://console/NAME` or `telehand://bedside/NAME`. The handshake verifies the chain, then
//! the role: a bedside never takes commands from another bedside, a stolen bedside key opens no
//! console. Everything here is text in memory; reading and writing files is the shell's business.

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, SanType,
};
use rustls::RootCertStore;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use std::fmt;
use std::time::Duration;
use telehand_vocab::Span;
use zeroize::Zeroize;

/// Longest name of an identity, bytes.
pub const NAME_MAX: usize = 64;
/// How far before "now" a new certificate begins, so that a slow clock elsewhere accepts it.
const BACKDATED: Span = Span::from_millis(24 * 3600 * 1000);

/// Which side of the operation an identity stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// The surgeon's console: dials, commands.
    Console,
    /// The patient's side: listens, obeys within its guard.
    Bedside,
}

impl Role {
    /// The word in certificates, files and messages.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Console => "console",
            Self::Bedside => "bedside",
        }
    }

    /// The role it talks to.
    #[must_use]
    pub const fn peer(self) -> Self {
        match self {
            Self::Console => Self::Bedside,
            Self::Bedside => Self::Console,
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A role and a name, as a verified certificate says.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct PeerIdentity {
    /// Which side it stands for.
    pub role: Role,
    /// Its name, 1 to [`NAME_MAX`] bytes of `a-z A-Z 0-9 . _ -`.
    pub name: String,
}

impl PeerIdentity {
    /// Checks the name.
    ///
    /// # Errors
    /// [`IdentityError::Name`] when it is empty, too long or has other characters.
    pub fn new(role: Role, name: &str) -> Result<Self, IdentityError> {
        let allowed = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-');
        if name.is_empty() || name.len() > NAME_MAX || !name.bytes().all(allowed) {
            return Err(IdentityError::Name { name: name.chars().take(NAME_MAX).collect() });
        }
        Ok(Self { role, name: name.to_owned() })
    }

    /// The form in a certificate: `telehand://bedside/NAME`.
    #[must_use]
    pub fn uri(&self) -> String {
        format!("telehand://{}/{}", self.role, self.name)
    }

    /// From the form in a certificate; `None` for any other URI.
    #[must_use]
    pub fn from_uri(uri: &str) -> Option<Self> {
        let (role, name) = uri.strip_prefix("telehand://")?.split_once('/')?;
        let role = [Role::Console, Role::Bedside].into_iter().find(|r| r.name() == role)?;
        Self::new(role, name).ok()
    }

    /// What a certificate says. The caller has verified its chain, or it is our own.
    ///
    /// # Errors
    /// [`IdentityError::NotAnIdentity`] unless exactly one URI of the certificate is ours.
    pub(crate) fn of_certificate(der: &CertificateDer<'_>) -> Result<Self, IdentityError> {
        let end = webpki::EndEntityCert::try_from(der).map_err(|_| IdentityError::NotAnIdentity)?;
        let mut ours = end.valid_uri_names().filter(|uri| uri.starts_with("telehand://"));
        match (ours.next().and_then(Self::from_uri), ours.next()) {
            (Some(identity), None) => Ok(identity),
            _ => Err(IdentityError::NotAnIdentity),
        }
    }
}

impl fmt::Display for PeerIdentity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} \"{}\"", self.role, self.name)
    }
}

/// An authority for demonstrations: it lives in memory, signs, and is forgotten.
///
/// Its key is never handed out, so nobody can sign a further identity later.
pub struct DemoAuthority {
    issuer: Issuer<'static, KeyPair>,
    pem: String,
    life: (Span, Span),
}

impl DemoAuthority {
    /// A new authority and key. `wall` is the time since 1970-01-01 UTC; it and what it signs are
    /// valid from one day before for `life`.
    ///
    /// # Errors
    /// [`IdentityError::Crypto`] when the machine has no randomness.
    pub fn new(wall: Span, life: Span) -> Result<Self, IdentityError> {
        let life = (wall.less(BACKDATED), wall.plus(life));
        let mut params = params_for("telehand demo authority", life);
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::DigitalSignature];
        let key = KeyPair::generate().map_err(crypto)?;
        let pem = params.self_signed(&key).map_err(crypto)?.pem();
        Ok(Self { issuer: Issuer::new(params, key), pem, life })
    }

    /// The certificate both sides must trust, as PEM.
    #[must_use]
    pub fn pem(&self) -> &str {
        &self.pem
    }

    /// A new identity with its own key.
    ///
    /// # Errors
    /// [`IdentityError::Crypto`] when the machine has no randomness.
    pub fn issue(&self, who: &PeerIdentity) -> Result<Issued, IdentityError> {
        let mut params = params_for(&format!("telehand {} {}", who.role, who.name), self.life);
        params.subject_alt_names = vec![SanType::URI(who.uri().try_into().map_err(crypto)?)];
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![match who.role {
            Role::Console => ExtendedKeyUsagePurpose::ClientAuth,
            Role::Bedside => ExtendedKeyUsagePurpose::ServerAuth,
        }];
        params.use_authority_key_identifier_extension = true;
        let key = KeyPair::generate().map_err(crypto)?;
        let certificate = params.signed_by(&key, &self.issuer).map_err(crypto)?;
        Ok(Issued { certificate_pem: certificate.pem(), key_pem: key.serialize_pem() })
    }
}

fn params_for(common_name: &str, (from, until): (Span, Span)) -> CertificateParams {
    let epoch = rcgen::date_time_ymd(1970, 1, 1);
    // The year 9999 is the end of X.509 time.
    let at =
        |t: Span| epoch + Duration::from_secs((t.as_nanos() / 1_000_000_000).min(253_370_764_800));
    let mut params = CertificateParams::default();
    params.distinguished_name.remove(DnType::CommonName);
    params.distinguished_name.push(DnType::CommonName, common_name);
    (params.not_before, params.not_after) = (at(from), at(until));
    params
}

/// A certificate and its key, as PEM. The key is wiped from memory when dropped.
pub struct Issued {
    /// The certificate.
    pub certificate_pem: String,
    /// Its private key: for its owner's eyes only.
    pub key_pem: String,
}

impl Drop for Issued {
    fn drop(&mut self) {
        self.key_pem.zeroize();
    }
}

/// What one side needs to prove itself and to check the other: its certificate and key, and the
/// authority both trust.
pub struct Credentials {
    pub(crate) roots: RootCertStore,
    pub(crate) chain: Vec<CertificateDer<'static>>,
    pub(crate) key: PrivateKeyDer<'static>,
    own: PeerIdentity,
}

impl Credentials {
    /// From the bodies of three PEM files.
    ///
    /// # Errors
    /// [`IdentityError::Pem`] naming the text that is not what it should be;
    /// [`IdentityError::NotAnIdentity`] when the certificate carries no role.
    pub fn from_pem(authority: &str, certificate: &str, key: &str) -> Result<Self, IdentityError> {
        let bad = |what| move |_| IdentityError::Pem { what };
        let mut roots = RootCertStore::empty();
        for root in CertificateDer::pem_slice_iter(authority.as_bytes()) {
            let root = root.map_err(bad("authority certificate"))?;
            roots.add(root).map_err(|_| IdentityError::Pem { what: "authority certificate" })?;
        }
        if roots.is_empty() {
            return Err(IdentityError::Pem { what: "authority certificate" });
        }
        let chain: Vec<_> = CertificateDer::pem_slice_iter(certificate.as_bytes())
            .collect::<Result<_, _>>()
            .map_err(bad("certificate"))?;
        let first = chain.first().ok_or(IdentityError::Pem { what: "certificate" })?;
        let own = PeerIdentity::of_certificate(first)?;
        let key = PrivateKeyDer::from_pem_slice(key.as_bytes()).map_err(bad("private key"))?;
        Ok(Self { roots, chain, key, own })
    }

    /// Who we are, by our own certificate.
    #[must_use]
    pub const fn own(&self) -> &PeerIdentity {
        &self.own
    }
}

impl Clone for Credentials {
    fn clone(&self) -> Self {
        let Self { roots, chain, key, own } = self;
        Self { roots: roots.clone(), chain: chain.clone(), key: key.clone_key(), own: own.clone() }
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials").field("own", &self.own).finish_non_exhaustive()
    }
}

#[expect(clippy::needless_pass_by_value, reason = "the shape that map_err wants")]
fn crypto(error: rcgen::Error) -> IdentityError {
    IdentityError::Crypto { reason: error.to_string() }
}

/// Why an identity cannot be made or read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
#[expect(missing_docs, reason = "the messages document the fields")]
pub enum IdentityError {
    /// The name is empty, too long or has other characters than allowed.
    #[error(
        "the identity name {name:?} is not 1 to {NAME_MAX} of the characters a-z A-Z 0-9 . _ -: \
         choose a short plain name, like \"kashgar-1\""
    )]
    Name { name: String },
    /// The text is not the PEM it should be.
    #[error("the {what} is not readable PEM: make new ones with `telehand keys --force`")]
    Pem { what: &'static str },
    /// The certificate names no role.
    #[error(
        "the certificate names no telehand role (one URI like telehand://bedside/NAME): \
         make one with `telehand keys`"
    )]
    NotAnIdentity,
    /// The machine has no randomness, or refuses the key.
    #[error("keys could not be made: {reason}")]
    Crypto { reason: String },
}

#[cfg(test)]
mod tests {
    use super::*;

    const WALL: Span = Span::from_millis(1_790_000_000_000);
    const YEAR: Span = Span::from_millis(365 * 24 * 3600 * 1000);

    #[test]
    fn l_080_an_identity_says_its_role_and_name_and_reads_back() {
        let authority = DemoAuthority::new(WALL, YEAR).unwrap();
        for (role, name) in [(Role::Console, "Shanghai-1"), (Role::Bedside, "kashgar_or.2")] {
            let who = PeerIdentity::new(role, name).unwrap();
            let issued = authority.issue(&who).unwrap();
            let credentials =
                Credentials::from_pem(authority.pem(), &issued.certificate_pem, &issued.key_pem)
                    .unwrap();
            assert_eq!(credentials.own(), &who);
            assert!(!format!("{credentials:?}").contains("PRIVATE"), "{credentials:?}");
        }
    }

    #[test]
    fn l_080_only_plain_names_and_our_uris_are_identities() {
        for bad in ["", "a b", "a/b", "ä", "a\n", "x".repeat(65).as_str()] {
            let error = PeerIdentity::new(Role::Console, bad).unwrap_err();
            assert!(matches!(error, IdentityError::Name { .. }), "{error}");
        }
        for bad in
            ["http://console/a", "telehand://surgeon/a", "telehand://console", "telehand:///a"]
        {
            assert_eq!(PeerIdentity::from_uri(bad), None, "{bad}");
        }
        let who = PeerIdentity::new(Role::Bedside, "a").unwrap();
        assert_eq!(PeerIdentity::from_uri(&who.uri()), Some(who));
    }

    #[test]
    fn l_080_texts_that_are_not_keys_are_named() {
        let authority = DemoAuthority::new(WALL, YEAR).unwrap();
        let who = PeerIdentity::new(Role::Console, "a").unwrap();
        let issued = authority.issue(&who).unwrap();
        let (a, c, k) = (authority.pem(), issued.certificate_pem.as_str(), &issued.key_pem);
        for (authority, certificate, key, named) in [
            ("x", c, k.as_str(), "authority"),
            (a, "x", k, "certificate"),
            (a, c, "x", "private key"),
        ] {
            let error = Credentials::from_pem(authority, certificate, key).unwrap_err();
            assert!(error.to_string().contains(named), "{error}");
        }
        // The authority itself is no identity.
        let error = Credentials::from_pem(a, a, k).unwrap_err();
        assert_eq!(error, IdentityError::NotAnIdentity);
    }
}
