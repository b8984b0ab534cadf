//! TLS 1.3 and nothing older. People come without a certificate, sites' machines with one.

use rustls::RootCertStore;
use rustls::ServerConfig;
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use std::sync::Arc;
use tokio_rustls::TlsAcceptor;

/// Server side: our chain and key, and the authority whose machines we know.
///
/// # Errors
/// When one of the three PEM texts is none, or does not fit the others.
pub fn acceptor(certificate: &str, key: &str, authority: &str) -> anyhow::Result<TlsAcceptor> {
    use anyhow::Context;
    let provider = Arc::new(ring::default_provider());
    let roots = roots(authority)?;
    let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider.clone())
        .allow_unauthenticated()
        .build()
        .context("the authority's certificate cannot verify machines")?;
    let chain = CertificateDer::pem_slice_iter(certificate.as_bytes())
        .collect::<Result<Vec<_>, _>>()
        .context("the hub's certificate is not PEM")?;
    let key = PrivateKeyDer::from_pem_slice(key.as_bytes()).context("the hub's key is not PEM")?;
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13])?
        .with_client_cert_verifier(verifier)
        .with_single_cert(chain, key)
        .context("the hub's certificate and key do not fit")?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(TlsAcceptor::from(Arc::new(config)))
}

/// The roots of PEM text.
///
/// # Errors
/// When there is none.
pub fn roots(authority: &str) -> anyhow::Result<RootCertStore> {
    let mut roots = RootCertStore::empty();
    for root in CertificateDer::pem_slice_iter(authority.as_bytes()) {
        roots.add(root?)?;
    }
    anyhow::ensure!(!roots.is_empty(), "the authority's certificate is not PEM");
    Ok(roots)
}
