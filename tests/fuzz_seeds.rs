//! Writes the seeds of every decoder below the folder named by the first argument, for the
//! coverage guided fuzzer. Prints the names of the decoders.

use std::path::PathBuf;
use telehand_tests::decoders::TARGETS;

fn main() -> std::io::Result<()> {
    let folder = std::env::args_os().nth(1).map_or_else(|| "corpus".into(), PathBuf::from);
    for target in TARGETS {
        let own = folder.join(target.name);
        std::fs::create_dir_all(&own)?;
        for (number, seed) in (target.seeds)().iter().enumerate() {
            std::fs::write(own.join(format!("seed-{number}")), seed)?;
        }
        println!("{}", target.name);
    }
    Ok(())
}
