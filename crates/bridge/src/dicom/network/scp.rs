//! Receiving CT images: C-STORE and C-ECHO as a service class provider.
//!
//! An instance is answered with success only after it lies on the disk under its own name and the
//! disk said so: what was acknowledged is never lost.

use super::super::compose::IMPLEMENTATION;
use super::super::parse;
use super::super::value::text;
use super::super::write::write_whole;
use super::message::{C_ECHO, C_STORE, Command, status};
use super::{TRANSFER_SYNTAXES, plain_uid};
use dicom_dictionary_std::{tags, uids};
use dicom_object::FileMetaTableBuilder;
use dicom_ul::association::server::AccessControl;
use dicom_ul::association::{Association, ServerAssociation, ServerAssociationOptions};
use dicom_ul::pdu::{AssociationRJServiceUserReason, PDataValue, PDataValueType, UserIdentity};
use dicom_ul::{Pdu, association};
use std::io;
use std::net::{SocketAddr, TcpListener, TcpStream, ToSocketAddrs};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

/// Longest command taken, bytes; real ones stay below 300.
const COMMAND_LIMIT: usize = 16 << 10;
/// Largest protocol data unit offered and taken, bytes.
const PDU_LENGTH: u32 = 128 << 10;

/// What is received, from whom, and where it goes.
#[derive(Debug, Clone)]
pub struct ScpOptions {
    /// Our application entity title, 1 to 16 characters; a caller must name it.
    pub ae_title: String,
    /// The titles that may call; none means any.
    pub callers: Option<Vec<String>>,
    /// Where the files go: `folder/SERIES UID/INSTANCE UID.dcm`.
    pub folder: PathBuf,
    /// Largest object taken, bytes.
    pub object_limit: usize,
    /// Most objects taken in one association.
    pub instance_limit: usize,
    /// Most associations at once; a further one is closed without an answer.
    pub association_limit: usize,
    /// Longest silence of a peer before its association is dropped.
    pub silence: Duration,
}

impl ScpOptions {
    /// Bounds that fit one CT scanner or archive.
    pub fn new(ae_title: &str, folder: &Path) -> Self {
        Self {
            ae_title: ae_title.to_owned(),
            callers: None,
            folder: folder.to_owned(),
            object_limit: 64 << 20,
            instance_limit: 10_000,
            association_limit: 8,
            silence: Duration::from_secs(30),
        }
    }
}

/// What happened on the network.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Received {
    /// An object is on the disk; its sender is told next.
    Instance {
        /// Application entity title of the sender.
        from: String,
        /// Series Instance UID.
        series: String,
        /// SOP Instance UID.
        instance: String,
        /// The file.
        path: PathBuf,
    },
    /// An object was refused, and its sender told why.
    Refused {
        /// Application entity title of the sender.
        from: String,
        /// What it was told.
        why: String,
    },
    /// An association has ended.
    Ended {
        /// Application entity title of the sender.
        from: String,
        /// How many objects it stored.
        stored: usize,
        /// How many were refused.
        refused: usize,
        /// It said goodbye; otherwise it broke off and the series may be incomplete.
        released: bool,
    },
}

/// A bound port that does not serve yet.
#[derive(Debug)]
pub struct Scp {
    listener: TcpListener,
    options: ScpOptions,
}

impl Scp {
    /// Binds `address`; port 0 takes a free one.
    pub fn bind(address: impl ToSocketAddrs, options: ScpOptions) -> io::Result<Self> {
        if !super::title_fits(&options.ae_title) {
            let why = "an application entity title takes 1 to 16 printable characters";
            return Err(io::Error::new(io::ErrorKind::InvalidInput, why));
        }
        std::fs::create_dir_all(&options.folder)?;
        Ok(Self { listener: TcpListener::bind(address)?, options })
    }

    /// Where it listens.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// Serves in threads of its own, one for each association, until [`Serving::stop`]. `tell` is
    /// called from those threads; an instance is acknowledged after `tell` returns.
    pub fn serve(self, tell: impl Fn(Received) + Send + Sync + 'static) -> io::Result<Serving> {
        let address = self.local_addr()?;
        let stopping = Arc::new(AtomicBool::new(false));
        let stop = Arc::clone(&stopping);
        let thread = std::thread::Builder::new().name("dicom".into()).spawn(move || {
            let running = AtomicUsize::new(0);
            let Self { listener, options } = self;
            std::thread::scope(|scope| {
                for stream in listener.incoming() {
                    if stop.load(Ordering::SeqCst) {
                        break;
                    }
                    let Ok(stream) = stream else { continue };
                    if running.fetch_add(1, Ordering::SeqCst) >= options.association_limit {
                        running.fetch_sub(1, Ordering::SeqCst);
                        continue;
                    }
                    let (options, tell, running) = (&options, &tell, &running);
                    scope.spawn(move || {
                        // A fault met in one peer's bytes ends that association and no other.
                        let _ = catch_unwind(AssertUnwindSafe(|| associate(stream, options, tell)));
                        running.fetch_sub(1, Ordering::SeqCst);
                    });
                }
            });
        })?;
        Ok(Serving { address, stopping, thread })
    }
}

/// A serving SCP.
#[derive(Debug)]
pub struct Serving {
    address: SocketAddr,
    stopping: Arc<AtomicBool>,
    thread: JoinHandle<()>,
}

impl Serving {
    /// Where it listens.
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Takes no further association and waits for the running ones to end.
    pub fn stop(self) {
        self.stopping.store(true, Ordering::SeqCst);
        // The listener looks at the flag when somebody calls.
        let mut own = self.address;
        if own.ip().is_unspecified() {
            own.set_ip(match own {
                SocketAddr::V4(_) => std::net::Ipv4Addr::LOCALHOST.into(),
                SocketAddr::V6(_) => std::net::Ipv6Addr::LOCALHOST.into(),
            });
        }
        drop(TcpStream::connect(own));
        // It ended or it panicked; either way it serves no more.
        let _ = self.thread.join();
    }
}

/// Who may call.
struct Titles<'a>(Option<&'a [String]>);

impl AccessControl for Titles<'_> {
    fn check_access(
        &self,
        this: &str,
        calling: &str,
        called: &str,
        _: Option<&UserIdentity>,
    ) -> Result<(), AssociationRJServiceUserReason> {
        if called.trim() != this.trim() {
            return Err(AssociationRJServiceUserReason::CalledAETitleNotRecognized);
        }
        if self.0.is_some_and(|known| !known.iter().any(|title| title.trim() == calling.trim())) {
            return Err(AssociationRJServiceUserReason::CallingAETitleNotRecognized);
        }
        Ok(())
    }
}

fn associate(stream: TcpStream, options: &ScpOptions, tell: &impl Fn(Received)) {
    let mut offer = ServerAssociationOptions::new()
        .ae_access_control(Titles(options.callers.as_deref()))
        .ae_title(options.ae_title.as_str())
        .max_pdu_length(PDU_LENGTH)
        .read_timeout(options.silence)
        .write_timeout(options.silence)
        .with_abstract_syntax(uids::VERIFICATION)
        .with_abstract_syntax(uids::CT_IMAGE_STORAGE);
    for syntax in TRANSFER_SYNTAXES {
        offer = offer.with_transfer_syntax(syntax);
    }
    // A caller that was rejected has been told; there is nothing to end.
    let Ok(association) = offer.establish(stream) else { return };
    let from = association.peer_ae_title().trim().to_owned();
    let mut session =
        Session { association, options, tell, from, stored: 0, refused: 0, command: None };
    let released = session.run().is_ok();
    let Session { from, stored, refused, .. } = session;
    tell(Received::Ended { from, stored, refused, released });
}

/// The peer broke off, or was broken off.
struct Over;

impl From<association::Error> for Over {
    fn from(_: association::Error) -> Self {
        Self
    }
}

struct Session<'a, T> {
    association: ServerAssociation<TcpStream>,
    options: &'a ScpOptions,
    tell: &'a T,
    from: String,
    stored: usize,
    refused: usize,
    /// A command whose data set is still coming.
    command: Option<Command>,
}

impl<T: Fn(Received)> Session<'_, T> {
    fn run(&mut self) -> Result<(), Over> {
        let (mut command, mut data) = (Vec::new(), Vec::new());
        loop {
            match self.association.receive()? {
                Pdu::PData { data: values } => {
                    for value in values {
                        self.value(value, &mut command, &mut data)?;
                    }
                }
                Pdu::ReleaseRQ => {
                    // It has said goodbye; whether it hears ours makes no difference.
                    let _ = self.association.send(&Pdu::ReleaseRP);
                    return Ok(());
                }
                _ => return Err(Over),
            }
        }
    }

    fn value(
        &mut self,
        value: PDataValue,
        command: &mut Vec<u8>,
        data: &mut Vec<u8>,
    ) -> Result<(), Over> {
        let (buffer, limit) = match value.value_type {
            PDataValueType::Command => (&mut *command, COMMAND_LIMIT),
            PDataValueType::Data => (&mut *data, self.options.object_limit),
        };
        if buffer.len() + value.data.len() > limit {
            return Err(Over);
        }
        buffer.extend(value.data);
        if !value.is_last {
            return Ok(());
        }
        let context = value.presentation_context_id;
        if value.value_type == PDataValueType::Command {
            let asked = Command::decode(command).map_err(|_| Over)?;
            command.clear();
            if asked.data {
                self.command = Some(asked);
                return Ok(());
            }
            return match asked.field {
                C_ECHO => self.answer(context, &asked.answer(status::SUCCESS, "")),
                _ => self.answer(context, &asked.answer(status::OPERATION, "only C-STORE, C-ECHO")),
            };
        }
        let asked = self.command.take().ok_or(Over)?;
        let outcome = self.store(context, &asked, data);
        data.clear();
        let answer = match outcome {
            Ok(received) => {
                (self.tell)(received);
                self.stored += 1;
                asked.answer(status::SUCCESS, "")
            }
            Err((status, why)) => {
                self.refused += 1;
                (self.tell)(Received::Refused { from: self.from.clone(), why: why.clone() });
                asked.answer(status, &why)
            }
        };
        self.answer(context, &answer)
    }

    fn answer(&mut self, context: u8, answer: &Command) -> Result<(), Over> {
        let data = vec![PDataValue {
            presentation_context_id: context,
            value_type: PDataValueType::Command,
            is_last: true,
            data: answer.encode().map_err(|_| Over)?,
        }];
        Ok(self.association.send(&Pdu::PData { data })?)
    }

    /// Checks and stores one object; the answer's status and comment if it is not taken.
    fn store(&self, context: u8, asked: &Command, data: &[u8]) -> Result<Received, (u16, String)> {
        let no = |status: u16, why: &str| Err((status, why.to_owned()));
        if asked.field != C_STORE {
            return no(status::OPERATION, "only C-STORE takes a data set");
        }
        if self.stored >= self.options.instance_limit {
            return no(status::RESOURCES, "too many objects in one association");
        }
        let contexts = self.association.presentation_contexts();
        let Some(negotiated) = contexts.iter().find(|known| known.id == context) else {
            return no(status::CLASS, "presentation context was not agreed on");
        };
        // Trap: real files exist with an empty class. Nobody could ever send them on.
        if asked.class.is_empty() {
            return no(status::CLASS, "SOP Class UID is empty");
        }
        if asked.class != negotiated.abstract_syntax || asked.class != uids::CT_IMAGE_STORAGE {
            return no(status::CLASS, "only CT Image Storage is taken");
        }
        let syntax = &negotiated.transfer_syntax;
        let object =
            parse::data_set(data, syntax).map_err(|why| (status::UNREADABLE, why.to_string()))?;
        let of = |tag| text(&object, tag).unwrap_or_default();
        let (instance, series) = (of(tags::SOP_INSTANCE_UID), of(tags::SERIES_INSTANCE_UID));
        if of(tags::SOP_CLASS_UID) != asked.class {
            return no(status::MISMATCH, "SOP Class UID of data set and command differ");
        }
        if instance != asked.instance || !plain_uid(&instance) || !plain_uid(&series) {
            return no(status::MISMATCH, "SOP Instance or Series UID missing or wrong");
        }
        let file = self
            .file(syntax, &instance, data)
            .ok_or_else(|| (status::UNREADABLE, "the object cannot be written".to_owned()))?;
        let folder = self.options.folder.join(&series);
        let path = folder.join(format!("{instance}.dcm"));
        match std::fs::read(&path) {
            Ok(known) if known == file => (),
            Ok(_) => return no(status::DUPLICATE, "another object with this UID is here"),
            Err(_) => {
                let stored = std::fs::create_dir_all(&folder).map_err(|why| why.to_string());
                let stored =
                    stored.and_then(|()| write_whole(&path, &file).map_err(|why| why.to_string()));
                stored.map_err(|_| (status::RESOURCES, "it cannot be stored here".to_owned()))?;
            }
        }
        Ok(Received::Instance { from: self.from.clone(), series, instance, path })
    }

    /// The data set with meta information before it: a file (PS3.10).
    fn file(&self, syntax: &str, instance: &str, data: &[u8]) -> Option<Vec<u8>> {
        let meta = FileMetaTableBuilder::new()
            .media_storage_sop_class_uid(uids::CT_IMAGE_STORAGE)
            .media_storage_sop_instance_uid(instance)
            .transfer_syntax(syntax)
            .implementation_class_uid(IMPLEMENTATION)
            .implementation_version_name("TELEHAND")
            .source_application_entity_title(self.from.as_str())
            .build()
            .ok()?;
        let mut bytes = vec![0; 128];
        bytes.extend(b"DICM");
        meta.write(&mut bytes).ok()?;
        bytes.extend(data);
        Some(bytes)
    }
}
