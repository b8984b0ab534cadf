//! TLS 1.3 in memory: mutual certificates, roles, and keys from the exporter.

use super::{HandshakeError, PeerRefusal};
use crate::identity::{Credentials, IdentityError, PeerIdentity, Role};
use crate::keys::{Cipher, SessionKeys};
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{Resumption, verify_server_cert_signed_by_trust_anchor};
use rustls::crypto::{CryptoProvider, WebPkiSupportedAlgorithms, ring, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::server::{ParsedCertificate, WebPkiClientVerifier};
use rustls::time_provider::TimeProvider;
use rustls::{
    AlertDescription, CertificateError, ClientConfig, ClientConnection, Connection,
    DigitallySignedStruct, DistinguishedName, Error, OtherError, RootCertStore, ServerConfig,
    ServerConnection, SignatureScheme,
};
use std::io::{Read, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use telehand_vocab::Span;
use zeroize::Zeroize;

/// The exporter label; RFC 8446 section 7.5.
const EXPORTER_LABEL: &[u8] = b"EXPORTER-telehand-session";
/// What both ends must speak (ALPN, RFC 7301): a change of the session format changes it.
const PROTOCOL: &[u8] = b"telehand/1";

/// The wall clock, told from outside: seconds since 1970.
#[derive(Debug, Default)]
pub struct Wall(AtomicU64);

impl Wall {
    pub fn set(&self, wall: Span) {
        self.0.store(wall.as_nanos() / 1_000_000_000, Ordering::Relaxed);
    }
}

impl TimeProvider for Wall {
    fn current_time(&self) -> Option<UnixTime> {
        Some(UnixTime::since_unix_epoch(Duration::from_secs(self.0.load(Ordering::Relaxed))))
    }
}

/// AES first where the processor has it; both ends derive the session's cipher from the choice.
fn provider() -> Arc<CryptoProvider> {
    let mut suites = vec![
        ring::cipher_suite::TLS13_AES_128_GCM_SHA256,
        ring::cipher_suite::TLS13_CHACHA20_POLY1305_SHA256,
    ];
    if Cipher::preferred() == Cipher::ChaCha20Poly1305 {
        suites.reverse();
    }
    Arc::new(CryptoProvider { cipher_suites: suites, ..ring::default_provider() })
}

/// How the console connects.
pub fn client_config(
    credentials: &Credentials,
    wall: Arc<Wall>,
) -> Result<Arc<ClientConfig>, HandshakeError> {
    let provider = provider();
    let verifier = RoleVerifier::new(credentials, Role::Bedside, &provider)?;
    let mut config = ClientConfig::builder_with_details(provider, wall)
        .with_protocol_versions(&[&rustls::version::TLS13])
        .map_err(HandshakeError::own)?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier))
        .with_client_auth_cert(credentials.chain.clone(), credentials.key.clone_key())
        .map_err(HandshakeError::own)?;
    config.alpn_protocols = vec![PROTOCOL.to_vec()];
    config.resumption = Resumption::disabled();
    config.enable_sni = false;
    Ok(Arc::new(config))
}

/// How the bedside listens.
pub fn server_config(
    credentials: &Credentials,
    wall: Arc<Wall>,
) -> Result<Arc<ServerConfig>, HandshakeError> {
    let provider = provider();
    let verifier = RoleVerifier::new(credentials, Role::Console, &provider)?;
    let mut config = ServerConfig::builder_with_details(provider, wall)
        .with_protocol_versions(&[&rustls::version::TLS13])
        .map_err(HandshakeError::own)?
        .with_client_cert_verifier(Arc::new(verifier))
        .with_single_cert(credentials.chain.clone(), credentials.key.clone_key())
        .map_err(HandshakeError::own)?;
    config.alpn_protocols = vec![PROTOCOL.to_vec()];
    config.send_tls13_tickets = 0;
    Ok(Arc::new(config))
}

/// Verifies the chain, then that the certificate names the wanted role.
#[derive(Debug)]
struct RoleVerifier {
    wanted: Role,
    roots: RootCertStore,
    as_client: Arc<dyn ClientCertVerifier>,
    algorithms: WebPkiSupportedAlgorithms,
}

impl RoleVerifier {
    fn new(
        credentials: &Credentials,
        wanted: Role,
        provider: &Arc<CryptoProvider>,
    ) -> Result<Self, HandshakeError> {
        let roots = credentials.roots.clone();
        let shared = (Arc::new(roots.clone()), Arc::clone(provider));
        let as_client = WebPkiClientVerifier::builder_with_provider(shared.0, shared.1)
            .build()
            .map_err(HandshakeError::own)?;
        Ok(Self {
            wanted,
            roots,
            as_client,
            algorithms: provider.signature_verification_algorithms,
        })
    }

    fn check_role(&self, certificate: &CertificateDer<'_>) -> Result<(), Error> {
        let other = |problem| {
            Error::InvalidCertificate(CertificateError::Other(OtherError(Arc::new(problem))))
        };
        let peer = PeerIdentity::of_certificate(certificate)
            .map_err(|_: IdentityError| other(HandshakeError::NoIdentity))?;
        if peer.role == self.wanted {
            return Ok(());
        }
        Err(other(HandshakeError::WrongRole { found: peer.role, wanted: self.wanted }))
    }

    /// A certificate of the other role may not even be made for this usage: name the role first.
    fn role_before(&self, certificate: &CertificateDer<'_>, error: Error) -> Error {
        match error {
            Error::InvalidCertificate(
                CertificateError::InvalidPurpose | CertificateError::InvalidPurposeContext { .. },
            ) => self.check_role(certificate).err().unwrap_or(error),
            other => other,
        }
    }
}

impl ServerCertVerifier for RoleVerifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        verify_server_cert_signed_by_trust_anchor(
            &ParsedCertificate::try_from(end_entity)?,
            &self.roots,
            intermediates,
            now,
            self.algorithms.all,
        )
        .map_err(|error| self.role_before(end_entity, error))?;
        self.check_role(end_entity)?;
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Err(Error::General("TLS 1.2 is not spoken here".into()))
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, cert, dss, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}

impl ClientCertVerifier for RoleVerifier {
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn verify_client_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        let verified = self
            .as_client
            .verify_client_cert(end_entity, intermediates, now)
            .map_err(|error| self.role_before(end_entity, error))?;
        self.check_role(end_entity)?;
        Ok(verified)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        ServerCertVerifier::verify_tls12_signature(self, message, cert, dss)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, cert, dss, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}

/// One TLS connection, fed and drained as byte strings.
pub struct Tls(Connection);

impl Tls {
    pub fn client(config: &Arc<ClientConfig>) -> Result<Self, HandshakeError> {
        // The name is never sent or compared: who the peer is stands in its certificate's URI.
        let name = ServerName::try_from("bedside.invalid").map_err(HandshakeError::own)?;
        let connection = ClientConnection::new(Arc::clone(config), name);
        connection.map(|c| Self(c.into())).map_err(HandshakeError::own)
    }

    pub fn server(config: &Arc<ServerConfig>) -> Result<Self, HandshakeError> {
        let connection = ServerConnection::new(Arc::clone(config));
        connection.map(|c| Self(c.into())).map_err(HandshakeError::own)
    }

    /// Bytes from the peer, in order.
    pub fn read(&mut self, mut bytes: &[u8]) -> Result<(), HandshakeError> {
        while !bytes.is_empty() {
            match self.0.read_tls(&mut bytes) {
                Ok(0) => break,
                Ok(_) => {}
                Err(error) => return Err(HandshakeError::Tls { reason: error.to_string() }),
            }
            self.0.process_new_packets().map_err(HandshakeError::from_tls)?;
        }
        Ok(())
    }

    /// Bytes for the peer, alerts included.
    pub fn take_output(&mut self) -> Vec<u8> {
        let mut out = Vec::new();
        // Writing to a Vec cannot fail; Ok(0) ends.
        while self.0.wants_write() && self.0.write_tls(&mut out).is_ok_and(|n| n > 0) {}
        out
    }

    pub fn is_handshaking(&self) -> bool {
        self.0.is_handshaking()
    }

    /// The few bytes of application data that end a handshake, when they have come.
    pub fn hear<const N: usize>(&mut self) -> Option<[u8; N]> {
        let mut bytes = [0; N];
        // Each end says its bytes in one record, so they come together or not at all.
        matches!(self.0.reader().read(&mut bytes), Ok(n) if n == N).then_some(bytes)
    }

    pub fn say(&mut self, bytes: &[u8]) {
        // Buffers in memory; cannot fail.
        let _ = self.0.writer().write(bytes);
    }

    /// Who the peer is, once its certificate has been verified.
    pub fn peer(&self) -> Result<PeerIdentity, HandshakeError> {
        let first = self.0.peer_certificates().and_then(<[_]>::first);
        let first = first.ok_or(HandshakeError::NoIdentity)?;
        PeerIdentity::of_certificate(first).map_err(|_| HandshakeError::NoIdentity)
    }

    /// The session keys both ends derive.
    pub fn session_keys(&self) -> Result<SessionKeys, HandshakeError> {
        let suite = self.0.negotiated_cipher_suite().map_or(0, |s| u16::from(s.suite()));
        let cipher = Cipher::from_tls_suite(suite)
            .ok_or_else(|| HandshakeError::Tls { reason: format!("unknown suite {suite:#06x}") })?;
        let mut secret = self
            .0
            .export_keying_material([0; 72], EXPORTER_LABEL, None)
            .map_err(HandshakeError::from_tls)?;
        let (mut session, mut keys) = ([0; 8], [[0; 32]; 2]);
        let mut bytes = secret.iter().copied();
        for place in session.iter_mut().chain(keys.iter_mut().flatten()) {
            *place = bytes.next().unwrap_or(0);
        }
        let [console_to_patient, patient_to_console] = keys;
        secret.zeroize();
        keys.zeroize();
        let session = u64::from_be_bytes(session);
        Ok(SessionKeys { session, console_to_patient, patient_to_console, cipher })
    }
}

impl HandshakeError {
    /// Our own keys or machine are at fault.
    fn own(error: impl std::fmt::Display) -> Self {
        Self::Own { reason: error.to_string() }
    }

    fn from_tls(error: Error) -> Self {
        let seconds = |a: UnixTime, b: UnixTime| {
            Span::from_millis(a.as_secs().saturating_sub(b.as_secs()).saturating_mul(1000))
        };
        match error {
            Error::InvalidCertificate(CertificateError::ExpiredContext { time, not_after }) => {
                Self::Expired { by: seconds(time, not_after) }
            }
            Error::InvalidCertificate(CertificateError::NotValidYetContext {
                time,
                not_before,
            }) => Self::NotYetValid { by: seconds(not_before, time) },
            Error::InvalidCertificate(
                CertificateError::UnknownIssuer | CertificateError::BadSignature,
            ) => Self::Untrusted,
            Error::InvalidCertificate(CertificateError::Other(OtherError(ref cause))) => {
                cause.downcast_ref::<Self>().cloned().unwrap_or_else(|| Self::tls(&error))
            }
            Error::AlertReceived(alert) => Self::RefusedByPeer {
                why: match alert {
                    AlertDescription::CertificateExpired => PeerRefusal::Expired,
                    AlertDescription::UnknownCA | AlertDescription::DecryptError => {
                        PeerRefusal::Untrusted
                    }
                    AlertDescription::CertificateUnknown | AlertDescription::AccessDenied => {
                        PeerRefusal::Role
                    }
                    AlertDescription::NoApplicationProtocol | AlertDescription::ProtocolVersion => {
                        PeerRefusal::Version
                    }
                    _ => PeerRefusal::Other,
                },
            },
            Error::NoCertificatesPresented => Self::NoIdentity,
            Error::NoApplicationProtocol => Self::Version,
            other => Self::tls(&other),
        }
    }

    fn tls(error: &Error) -> Self {
        Self::Tls { reason: error.to_string() }
    }
}
