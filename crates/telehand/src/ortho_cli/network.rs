//! `telehand ortho receive`, `send`, `echo`: CT images over the DICOM network.
//!
//! Nothing here is encrypted: inside a hospital's own network or a tunnel only.

use anyhow::{Context, Result};
use clap::Args;
use serde_json::{Value, json};
use std::path::PathBuf;
use telehand_bridge::dicom::network::{Received, Scp, ScpOptions, echo, push};
use telehand_bridge::dicom::{File, compress};

/// `telehand ortho receive`.
#[derive(Debug, Args)]
pub struct ReceiveArgs {
    /// Where the files go: FOLDER/SERIES UID/INSTANCE UID.dcm
    folder: PathBuf,
    /// Address and port to listen on; port 0 takes a free one
    #[arg(long, default_value = "127.0.0.1:11112", value_name = "ADDRESS:PORT")]
    listen: String,
    /// Our application entity title: a sender must name it
    #[arg(long, default_value = "TELEHAND", value_name = "TITLE")]
    ae_title: String,
    /// A title that may call; may be repeated; without any, everybody may
    #[arg(long, value_name = "TITLE")]
    caller: Vec<String>,
}

/// `telehand ortho send`.
#[derive(Debug, Args)]
pub struct SendArgs {
    /// The folder with the files; every file in it is sent. Not needed with --echo
    #[arg(required_unless_present = "echo")]
    folder: Option<PathBuf>,
    /// Address and port of the receiver
    #[arg(long, value_name = "ADDRESS:PORT")]
    to: String,
    /// Our application entity title
    #[arg(long, default_value = "TELEHAND", value_name = "TITLE")]
    ae_title: String,
    /// The receiver's application entity title
    #[arg(long, value_name = "TITLE")]
    called: String,
    /// Compress uncompressed CT images without loss (JPEG-LS); the receiver must take it
    #[arg(long)]
    compress: bool,
    /// Only ask whether it is there (C-ECHO)
    #[arg(long)]
    echo: bool,
}

/// Receives until Ctrl-C; one line of JSON for each thing that happens.
pub fn receive(args: &ReceiveArgs) -> Result<()> {
    let mut options = ScpOptions::new(&args.ae_title, &args.folder);
    options.callers = (!args.caller.is_empty()).then(|| args.caller.clone());
    let scp = Scp::bind(&args.listen, options)
        .with_context(|| format!("cannot receive on {}", args.listen))?;
    println!("{}", json!({ "event": "listening", "address": scp.local_addr()?.to_string() }));
    let serving = scp.serve(|what| println!("{}", line(&what)))?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(crate::stop::asked())?;
    serving.stop();
    Ok(())
}

fn line(what: &Received) -> Value {
    match what {
        Received::Instance { from, series, instance, path } => json!({
            "event": "instance", "from": from, "series_uid": series, "instance_uid": instance,
            "path": path,
        }),
        Received::Refused { from, why } => {
            json!({ "event": "refused", "from": from, "why": why })
        }
        Received::Ended { from, stored, refused, released } => json!({
            "event": "ended", "from": from, "stored_n": stored, "refused_n": refused,
            "complete": released,
        }),
    }
}

/// Sends a folder, or asks whether somebody is there.
pub fn send(args: &SendArgs) -> Result<()> {
    if args.echo {
        echo(&args.to, &args.ae_title, &args.called)?;
        println!("{} answers", args.called);
        return Ok(());
    }
    let folder = args.folder.as_deref().context("no folder was named")?;
    let mut paths: Vec<PathBuf> = Vec::new();
    for entry in
        std::fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))?
    {
        paths.push(entry?.path());
    }
    paths.retain(|path| path.is_file());
    paths.sort();
    let mut files = Vec::with_capacity(paths.len());
    for path in paths {
        let bytes =
            std::fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?;
        let file = File { name: path.display().to_string(), bytes };
        files.push(if args.compress { compress(&file)? } else { file });
    }
    let pushed = push(&args.to, &args.ae_title, &args.called, &files)?;
    println!("{} objects, {} bytes stored by {}", pushed.stored, pushed.bytes, args.called);
    Ok(())
}
