//! `telehand ortho`: import, plan, study and grade without a site. One file per subcommand, each
//! with its `Args` and its `run`.

pub mod campaign;
pub mod import;
pub mod network;
pub mod phantom;
pub mod queue;
pub mod study;
pub mod suggest;

use clap::Subcommand;

/// `telehand ortho`.
#[derive(Debug, Subcommand)]
pub enum OrthoCommand {
    /// Read a CT series from a folder of DICOM files and say what it is
    Import(import::ImportArgs),
    /// Receive CT images over the DICOM network (C-STORE, C-ECHO) until Ctrl-C
    Receive(network::ReceiveArgs),
    /// Send CT images over the DICOM network, or ask whether a receiver is there
    Send(network::SendArgs),
    /// Invent a patient and write the scan as DICOM
    Phantom(phantom::PhantomArgs),
    /// Try the authority over three robots: stale commands, crashes, cut lines
    Campaign(campaign::CampaignArgs),
    /// One surgeon and many sites: who waits, and how long patients wait under anaesthesia
    Queue(queue::QueueArgs),
    /// Place a thousand screws through the whole chain of errors
    Study(study::StudyArgs),
    /// Propose screws for every vertebra of a mask, graded twice
    Suggest(suggest::SuggestArgs),
}

/// Runs one subcommand.
pub fn run(command: &OrthoCommand) -> anyhow::Result<()> {
    match command {
        OrthoCommand::Import(args) => import::run(args),
        OrthoCommand::Receive(args) => network::receive(args),
        OrthoCommand::Send(args) => network::send(args),
        OrthoCommand::Phantom(args) => phantom::run(args),
        OrthoCommand::Campaign(args) => campaign::run(args),
        OrthoCommand::Queue(args) => queue::run(args),
        OrthoCommand::Study(args) => study::run(args),
        OrthoCommand::Suggest(args) => suggest::run(args),
    }
}
