//! Sending objects: C-STORE and C-ECHO as a service class user.

use super::super::parse::{self, Meta};
use super::super::refusal::Refused;
use super::super::value::text;
use super::super::write::File;
use super::message::{C_ECHO, C_STORE, Command, RESPONSE, status};
use dicom_dictionary_std::{tags, uids};
use dicom_transfer_syntax_registry::entries::IMPLICIT_VR_LITTLE_ENDIAN;
use dicom_ul::Pdu;
use dicom_ul::association::{ClientAssociation, ClientAssociationOptions};
use dicom_ul::pdu::{PDataValue, PDataValueType, PresentationContextResultReason};
use std::collections::BTreeSet;
use std::io::Write;
use std::net::{TcpStream, ToSocketAddrs};
use std::time::Duration;

/// How long a peer may stay silent.
const SILENCE: Duration = Duration::from_secs(30);

/// What was sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pushed {
    /// How many objects the peer acknowledged.
    pub stored: usize,
    /// Bytes of their data sets.
    pub bytes: u64,
}

/// Why not everything was sent. What the peer acknowledged before stays with it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
#[expect(missing_docs, reason = "the message beside each variant documents its fields")]
pub enum PushError {
    #[error("{name}: {why}; nothing was sent")]
    File { name: String, why: Refused },
    #[error("an application entity title takes 1 to 16 printable characters; nothing was sent")]
    Title,
    #[error("no association with {called}; nothing was sent; check address, title and network")]
    Association { called: String, source: Box<dicom_ul::association::Error> },
    #[error(
        "{called} does not take {class} in transfer syntax {syntax}; {stored} objects were stored, no more were sent"
    )]
    NotTaken { called: String, class: String, syntax: String, stored: usize },
    #[error(
        "{called} refused {instance} with status {status:#06x} {comment}; {stored} objects were stored"
    )]
    Status { called: String, instance: String, status: u16, comment: String, stored: usize },
    #[error(
        "the association with {called} broke after {stored} stored objects; send the rest again"
    )]
    Broken { called: String, stored: usize },
}

/// Sends every file to `address`. A file without SOP Class UID is refused before anything is sent:
/// no peer could take it. Explicit VR little endian is rewritten as implicit for a peer that takes
/// nothing else; compressed files are sent as they are.
pub fn push(
    address: impl ToSocketAddrs,
    calling: &str,
    called: &str,
    files: &[File],
) -> Result<Pushed, PushError> {
    let objects: Vec<Outgoing<'_>> = files.iter().map(Outgoing::of).collect::<Result<_, _>>()?;
    let mut contexts = BTreeSet::new();
    for object in &objects {
        contexts.insert((object.class.as_str(), object.syntax.as_str()));
        if object.syntax == uids::EXPLICIT_VR_LITTLE_ENDIAN {
            contexts.insert((object.class.as_str(), uids::IMPLICIT_VR_LITTLE_ENDIAN));
        }
    }
    let mut peer = Peer::connect(address, calling, called, contexts)?;
    let mut pushed = Pushed { stored: 0, bytes: 0 };
    for object in &objects {
        pushed.bytes += peer.store(object, pushed.stored)?;
        pushed.stored += 1;
    }
    // Everything is acknowledged; a peer that does not answer the goodbye keeps it all the same.
    let _ = peer.association.release();
    Ok(pushed)
}

/// Asks `address` whether it is there (C-ECHO).
pub fn echo(address: impl ToSocketAddrs, calling: &str, called: &str) -> Result<(), PushError> {
    let contexts = [(uids::VERIFICATION, uids::IMPLICIT_VR_LITTLE_ENDIAN)];
    let mut peer = Peer::connect(address, calling, called, contexts)?;
    let request = Command {
        field: C_ECHO,
        message: 1,
        class: uids::VERIFICATION.into(),
        instance: String::new(),
        data: false,
        status: 0,
        comment: String::new(),
    };
    let context = peer.context(uids::VERIFICATION, uids::IMPLICIT_VR_LITTLE_ENDIAN);
    let context = context.ok_or_else(|| peer.broken(0))?;
    peer.ask(context, &request, &[], 0)?;
    let _ = peer.association.release();
    Ok(())
}

/// A file on its way out.
struct Outgoing<'a> {
    class: String,
    instance: String,
    syntax: String,
    data: &'a [u8],
}

impl<'a> Outgoing<'a> {
    fn of(file: &'a File) -> Result<Self, PushError> {
        Self::read(&file.bytes).map_err(|why| PushError::File { name: file.name.clone(), why })
    }

    fn read(bytes: &'a [u8]) -> Result<Self, Refused> {
        let parsed = parse::head(bytes)?;
        let end = Meta::read(bytes)?.end;
        let class = text(&parsed.object, tags::SOP_CLASS_UID).ok_or(Refused::EmptySopClass)?;
        let instance = text(&parsed.object, tags::SOP_INSTANCE_UID)
            .ok_or(Refused::Missing { attribute: "SOP Instance UID (0008,0018)" })?;
        let data = bytes.get(end..).unwrap_or_default();
        Ok(Self { class, instance, syntax: parsed.syntax, data })
    }
}

struct Peer {
    association: ClientAssociation<TcpStream>,
    called: String,
    message: u16,
}

impl Peer {
    fn connect<'a>(
        address: impl ToSocketAddrs,
        calling: &'a str,
        called: &'a str,
        contexts: impl IntoIterator<Item = (&'a str, &'a str)>,
    ) -> Result<Self, PushError> {
        if !super::title_fits(calling) || !super::title_fits(called) {
            return Err(PushError::Title);
        }
        let mut wanted = ClientAssociationOptions::new()
            .calling_ae_title(calling)
            .called_ae_title(called)
            .connection_timeout(SILENCE)
            .read_timeout(SILENCE)
            .write_timeout(SILENCE);
        for (class, syntax) in contexts {
            wanted = wanted.with_presentation_context(class.to_owned(), vec![syntax.to_owned()]);
        }
        let mut association = wanted.establish(address).map_err(|source| {
            PushError::Association { called: called.to_owned(), source: Box::new(source) }
        })?;
        // Command and data set of an object are two writes: without this each waits for the
        // acknowledgement of the one before, 40 ms. Refused, it is only slower.
        let _ = association.inner_stream().set_nodelay(true);
        Ok(Self { association, called: called.to_owned(), message: 0 })
    }

    /// The context agreed on for this class and transfer syntax.
    fn context(&self, class: &str, syntax: &str) -> Option<u8> {
        let accepted = |reason| reason == &PresentationContextResultReason::Acceptance;
        let agreed = self.association.presentation_contexts().iter().find(|context| {
            accepted(&context.reason)
                && context.abstract_syntax == class
                && context.transfer_syntax == syntax
        });
        agreed.map(|context| context.id)
    }

    fn store(&mut self, object: &Outgoing<'_>, stored: usize) -> Result<u64, PushError> {
        let implicit;
        let (context, data) = match self.context(&object.class, &object.syntax) {
            Some(context) => (Some(context), object.data),
            None if object.syntax == uids::EXPLICIT_VR_LITTLE_ENDIAN => {
                implicit = as_implicit(object).ok_or_else(|| self.broken(stored))?;
                let context = self.context(&object.class, uids::IMPLICIT_VR_LITTLE_ENDIAN);
                (context, implicit.as_slice())
            }
            None => (None, object.data),
        };
        let context = context.ok_or_else(|| PushError::NotTaken {
            called: self.called.clone(),
            class: object.class.clone(),
            syntax: object.syntax.clone(),
            stored,
        })?;
        self.message = self.message.wrapping_add(1);
        let request = Command {
            field: C_STORE,
            message: self.message,
            class: object.class.clone(),
            instance: object.instance.clone(),
            data: true,
            status: 0,
            comment: String::new(),
        };
        self.ask(context, &request, data, stored)?;
        Ok(data.len() as u64)
    }

    /// Sends a request and waits for its answer.
    fn ask(
        &mut self,
        context: u8,
        request: &Command,
        data: &[u8],
        stored: usize,
    ) -> Result<(), PushError> {
        let command = request.encode().map_err(|_| self.broken(stored))?;
        let values = vec![PDataValue {
            presentation_context_id: context,
            value_type: PDataValueType::Command,
            is_last: true,
            data: command,
        }];
        let sent = self.association.send(&Pdu::PData { data: values });
        sent.map_err(|_| self.broken(stored))?;
        if request.data {
            let mut out = self.association.send_pdata(context);
            let sent = out.write_all(data).and_then(|()| out.finish());
            sent.map_err(|_| self.broken(stored))?;
        }
        let answer = self.receive().ok_or_else(|| self.broken(stored))?;
        if answer.field != request.field | RESPONSE || answer.message != request.message {
            return Err(self.broken(stored));
        }
        // Warnings (0xB...) are given after storing; nothing else is a success.
        if answer.status != status::SUCCESS && answer.status >> 12 != 0xb {
            return Err(PushError::Status {
                called: self.called.clone(),
                instance: request.instance.clone(),
                status: answer.status,
                comment: answer.comment,
                stored,
            });
        }
        Ok(())
    }

    fn receive(&mut self) -> Option<Command> {
        let mut bytes = Vec::new();
        loop {
            let Ok(Pdu::PData { data }) = self.association.receive() else { return None };
            for value in data {
                bytes.extend(value.data);
                if value.is_last {
                    return Command::decode(&bytes).ok();
                }
            }
            if bytes.len() > 16 << 10 {
                return None;
            }
        }
    }

    fn broken(&self, stored: usize) -> PushError {
        PushError::Broken { called: self.called.clone(), stored }
    }
}

fn as_implicit(object: &Outgoing<'_>) -> Option<Vec<u8>> {
    let whole = parse::data_set(object.data, &object.syntax).ok()?;
    let mut bytes = Vec::new();
    whole.write_dataset_with_ts(&mut bytes, &IMPLICIT_VR_LITTLE_ENDIAN.erased()).ok()?;
    Some(bytes)
}
