//! The alliance's certificate authority: it signs the hub's own certificate and every site's.
//!
//! A site's certificate carries one URI, `telehand://site/ORG/SITE`; the hub's carries its names.
//! A site makes its own key and sends the public half: the private half never travels.

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, PKCS_ED25519, PublicKeyData, SanType, SignatureAlgorithm,
};
use rustls::pki_types::CertificateDer;
use std::time::Duration;
use zeroize::Zeroizing;

/// How far before "now" a certificate begins, so that a slow clock elsewhere accepts it, seconds.
const BACKDATED_S: i64 = 24 * 3600;
/// Life of the authority itself, days.
const AUTHORITY_DAYS: u64 = 20 * 365;
/// The beginning of every machine's URI.
const SCHEME: &str = "telehand://site/";

/// The authority with its key: it lives where `hub init` made it.
pub struct Authority {
    issuer: Issuer<'static, KeyPair>,
    pem: String,
}

impl std::fmt::Debug for Authority {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Authority").finish_non_exhaustive()
    }
}

impl Authority {
    /// A new authority called `name`, valid from `now_s` (seconds since 1970); and its key as PEM.
    ///
    /// # Errors
    /// [`AuthorityError::Crypto`] when the machine has no randomness.
    pub fn new(name: &str, now_s: i64) -> Result<(Self, Zeroizing<String>), AuthorityError> {
        let mut params = params(&format!("{name} authority"), now_s, AUTHORITY_DAYS);
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let key = KeyPair::generate().map_err(crypto)?;
        let secret = Zeroizing::new(key.serialize_pem());
        let pem = params.self_signed(&key).map_err(crypto)?.pem();
        Ok((Self { issuer: Issuer::new(params, key), pem }, secret))
    }

    /// From the two PEM texts that [`Authority::new`] gave; `name` as it was then.
    ///
    /// # Errors
    /// [`AuthorityError::Pem`] when the key is not readable.
    pub fn from_pem(name: &str, certificate: &str, key: &str) -> Result<Self, AuthorityError> {
        let bad = |what| move |_| AuthorityError::Pem { what };
        let key = KeyPair::from_pem(key).map_err(bad("authority's key"))?;
        // What an issuer gives to a certificate is its name and key; both are known here.
        let mut params = params(&format!("{name} authority"), 0, AUTHORITY_DAYS);
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        Ok(Self { issuer: Issuer::new(params, key), pem: certificate.to_owned() })
    }

    /// The certificate that everybody in the alliance trusts, as PEM.
    #[must_use]
    pub fn pem(&self) -> &str {
        &self.pem
    }

    /// A certificate for the hub itself under `hosts` (domain names or IP addresses), and its key.
    ///
    /// # Errors
    /// [`AuthorityError::Crypto`] when a host is no name.
    pub fn issue_hub(
        &self,
        hosts: &[String],
        now_s: i64,
        days: u64,
    ) -> Result<(String, Zeroizing<String>), AuthorityError> {
        let mut params = params("telehand hub", now_s, days);
        for host in hosts {
            params.subject_alt_names.push(match host.parse() {
                Ok(ip) => SanType::IpAddress(ip),
                Err(_) => SanType::DnsName(host.as_str().try_into().map_err(crypto)?),
            });
        }
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        params.use_authority_key_identifier_extension = true;
        let key = KeyPair::generate().map_err(crypto)?;
        let certificate = params.signed_by(&key, &self.issuer).map_err(crypto)?;
        Ok((certificate.pem(), Zeroizing::new(key.serialize_pem())))
    }

    /// A certificate for a site whose Ed25519 public key is `key` (32 bytes).
    ///
    /// # Errors
    /// [`AuthorityError::Crypto`] when the names do not fit a URI.
    pub fn issue_site(
        &self,
        who: &SiteName,
        key: &[u8; 32],
        now_s: i64,
        days: u64,
    ) -> Result<String, AuthorityError> {
        let mut params = params(&format!("telehand site {}", who.site), now_s, days);
        params.subject_alt_names = vec![SanType::URI(who.uri().try_into().map_err(crypto)?)];
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages =
            vec![ExtendedKeyUsagePurpose::ClientAuth, ExtendedKeyUsagePurpose::ServerAuth];
        params.use_authority_key_identifier_extension = true;
        let certificate = params.signed_by(&RawEd25519(*key), &self.issuer).map_err(crypto)?;
        Ok(certificate.pem())
    }
}

/// Whose certificate it is: a site of an organisation, both by id.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct SiteName {
    /// The organisation's id.
    pub org: String,
    /// The site's id.
    pub site: String,
}

impl SiteName {
    /// The form in a certificate.
    #[must_use]
    pub fn uri(&self) -> String {
        format!("{SCHEME}{}/{}", self.org, self.site)
    }

    /// From the form in a certificate; `None` for any other URI.
    #[must_use]
    pub fn from_uri(uri: &str) -> Option<Self> {
        let (org, site) = uri.strip_prefix(SCHEME)?.split_once('/')?;
        let plain = |s: &str| {
            !s.is_empty()
                && s.len() <= 64
                && s.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
        };
        (plain(org) && plain(site)).then(|| Self { org: org.into(), site: site.into() })
    }

    /// What a certificate says. Its chain has been verified by the handshake.
    ///
    /// # Errors
    /// [`AuthorityError::NotASite`] unless exactly one URI of it is ours.
    pub fn of_certificate(der: &CertificateDer<'_>) -> Result<Self, AuthorityError> {
        let end = webpki::EndEntityCert::try_from(der).map_err(|_| AuthorityError::NotASite)?;
        let mut ours = end.valid_uri_names().filter(|uri| uri.starts_with("telehand://"));
        match (ours.next().and_then(Self::from_uri), ours.next()) {
            (Some(name), None) => Ok(name),
            _ => Err(AuthorityError::NotASite),
        }
    }
}

/// A public key that somebody else holds the private half of.
struct RawEd25519([u8; 32]);

impl PublicKeyData for RawEd25519 {
    fn der_bytes(&self) -> &[u8] {
        &self.0
    }

    fn algorithm(&self) -> &'static SignatureAlgorithm {
        &PKCS_ED25519
    }
}

fn params(common_name: &str, now_s: i64, days: u64) -> CertificateParams {
    let epoch = rcgen::date_time_ymd(1970, 1, 1);
    // The year 9999 is the end of X.509 time.
    let at = |s: i64| epoch + Duration::from_secs(s.clamp(0, 253_370_764_800).unsigned_abs());
    let mut params = CertificateParams::default();
    params.distinguished_name.remove(DnType::CommonName);
    params.distinguished_name.push(DnType::CommonName, common_name);
    params.not_before = at(now_s.saturating_sub(BACKDATED_S));
    params.not_after = at(now_s.saturating_add_unsigned(days.saturating_mul(86_400)));
    params
}

#[expect(clippy::needless_pass_by_value, reason = "the shape that map_err wants")]
fn crypto(error: rcgen::Error) -> AuthorityError {
    AuthorityError::Crypto { reason: error.to_string() }
}

/// Why a certificate cannot be made or read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
#[expect(missing_docs, reason = "the messages document the fields")]
pub enum AuthorityError {
    /// Not the PEM it should be.
    #[error("the {what} is not readable PEM; restore the hub's directory from its backup")]
    Pem { what: &'static str },
    /// The certificate names no site.
    #[error("the certificate names no site of this alliance; join with `telehand hub join`")]
    NotASite,
    /// The machine has no randomness, or a name does not fit.
    #[error("the certificate could not be made: {reason}")]
    Crypto { reason: String },
}

#[cfg(test)]
mod tests {
    use super::*;
    use ring::signature::{Ed25519KeyPair, KeyPair as _};
    use rustls::pki_types::pem::PemObject;

    const NOW: i64 = 1_790_000_000;

    #[test]
    fn a_site_certificate_says_whose_it_is_and_carries_the_key_that_was_sent() {
        let (authority, secret) = Authority::new("Test", NOW).unwrap();
        let again = Authority::from_pem("Test", authority.pem(), &secret).unwrap();
        let key = Ed25519KeyPair::from_seed_unchecked(&[7; 32]).unwrap();
        let public: [u8; 32] = key.public_key().as_ref().try_into().unwrap();
        let who = SiteName { org: "org-1".into(), site: "site-1".into() };
        for authority in [&authority, &again] {
            let pem = authority.issue_site(&who, &public, NOW, 30).unwrap();
            let der = CertificateDer::from_pem_slice(pem.as_bytes()).unwrap();
            assert_eq!(SiteName::of_certificate(&der), Ok(who.clone()));
            assert!(der.windows(32).any(|w| w == public), "the key is not in the certificate");
        }
        let (hub, _) = again.issue_hub(&["localhost".into(), "127.0.0.1".into()], NOW, 30).unwrap();
        let der = CertificateDer::from_pem_slice(hub.as_bytes()).unwrap();
        assert_eq!(SiteName::of_certificate(&der), Err(AuthorityError::NotASite));
    }

    #[test]
    fn only_our_uris_are_sites() {
        for bad in [
            "telehand://site/a",
            "telehand://site//b",
            "telehand://site/a/b/c",
            "telehand://bedside/a/b",
            "https://a/b",
            "telehand://site/a b/c",
        ] {
            assert_eq!(SiteName::from_uri(bad), None, "{bad}");
        }
    }
}
