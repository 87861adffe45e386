//! The directory of an index: `gen-NNNN/` directories, the file `CURRENT`
//! that names the live one, and the lock that keeps a second writer out.
//!
//! Every change of `CURRENT` is one rename; a crash at any moment leaves
//! either the old or the new one. What is in a generation is not its business.

use crate::error::{Error, Reason};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::fs::{self, File, TryLockError};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Duration;

const POINTER: &str = "CURRENT";
const POINTER_NEW: &str = "CURRENT.new";
const LOCK: &str = "LOCK";
const PREFIX: &str = "gen-";

/// A process just being started by this one holds its locks for a moment, until it
/// becomes another program; so a lock is tried for a while.
pub(crate) const LOCK_TRIES: u32 = 10;
pub(crate) const LOCK_PAUSE: Duration = Duration::from_millis(20);

/// Which generation is live, and which one was before.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Pointer {
    pub(crate) current: String,
    pub(crate) previous: Option<String>,
}

/// The directory of an index.
#[derive(Debug, Clone)]
pub(crate) struct Layout {
    dir: PathBuf,
}

impl Layout {
    pub(crate) fn new(dir: &Path) -> Layout {
        Layout { dir: dir.to_owned() }
    }

    pub(crate) fn create(&self) -> Result<(), Error> {
        fs::create_dir_all(&self.dir).map_err(Error::io(&self.dir))
    }

    /// Holds the index for writing until the file is dropped; the system frees
    /// it when the process dies, however it dies.
    pub(crate) fn lock(&self) -> Result<File, Error> {
        let path = self.dir.join(LOCK);
        let mut options = File::options();
        let file = options.create(true).write(true).truncate(false).open(&path).map_err(Error::io(&path))?;
        for _ in 0..LOCK_TRIES {
            match file.try_lock() {
                Ok(()) => return Ok(file),
                Err(TryLockError::WouldBlock) => std::thread::sleep(LOCK_PAUSE),
                Err(TryLockError::Error(error)) => return Err(Error::io(path)(error)),
            }
        }
        Err(Error::Locked)
    }

    pub(crate) fn generation(&self, name: &str) -> PathBuf {
        self.dir.join(name)
    }

    /// Reads `CURRENT`; the reason if there is none or it is damaged.
    pub(crate) fn read_pointer(&self) -> Result<Result<Pointer, Reason>, Error> {
        let path = self.dir.join(POINTER);
        let bytes = match fs::read(&path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                // A pointer lost beside existing generations is damage, not a fresh start.
                let fresh = self.generations()?.is_empty();
                return Ok(Err(if fresh { Reason::Missing } else { Reason::Pointer }));
            }
            Err(error) => return Err(Error::io(path)(error)),
        };
        Ok(decode(&bytes).ok_or(Reason::Pointer))
    }

    /// Replaces `CURRENT` in one step that survives a power cut.
    pub(crate) fn write_pointer(&self, pointer: &Pointer) -> Result<(), Error> {
        let new = self.dir.join(POINTER_NEW);
        let mut file = File::create(&new).map_err(Error::io(&new))?;
        file.write_all(encode(pointer).as_bytes()).map_err(Error::io(&new))?;
        file.sync_all().map_err(Error::io(&new))?;
        let path = self.dir.join(POINTER);
        fs::rename(&new, &path).map_err(Error::io(&path))?;
        sync_dir(&self.dir)
    }

    /// Makes the directory of the next generation, whose number was never used before.
    pub(crate) fn new_generation(&self) -> Result<String, Error> {
        let last = self.generations()?.iter().filter_map(|name| number(name)).max();
        let name = format!("{PREFIX}{:04}", last.unwrap_or(0) + 1);
        let path = self.generation(&name);
        fs::create_dir(&path).map_err(Error::io(&path))?;
        sync_dir(&self.dir)?;
        Ok(name)
    }

    /// Removes every generation but those named.
    pub(crate) fn remove_all_but(&self, keep: &[&str]) -> Result<(), Error> {
        let generations = self.generations()?;
        generations
            .iter()
            .filter(|name| !keep.contains(&name.as_str()))
            .try_for_each(|name| self.remove(name))
    }

    /// Removes one generation.
    pub(crate) fn remove(&self, name: &str) -> Result<(), Error> {
        let path = self.generation(name);
        fs::remove_dir_all(&path).map_err(Error::io(path))
    }

    pub(crate) fn generations(&self) -> Result<Vec<String>, Error> {
        let mut out = Vec::new();
        for entry in fs::read_dir(&self.dir).map_err(Error::io(&self.dir))? {
            let entry = entry.map_err(Error::io(&self.dir))?;
            if let Some(name) = entry.file_name().to_str().filter(|n| number(n).is_some()) {
                out.push(name.to_owned());
            }
        }
        Ok(out)
    }

    /// Bytes of all files, of every generation.
    pub(crate) fn size_bytes(&self) -> u64 {
        self.generations().unwrap_or_default().iter().map(|name| size_of_dir(&self.generation(name))).sum()
    }
}

/// Tells two states of a generation's metadata apart. Each commit writes a new file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Stamp(Option<(std::time::SystemTime, u64, u64)>);

impl Layout {
    /// The state of a generation's metadata now.
    pub(crate) fn stamp(&self, generation: &str) -> Stamp {
        let meta = fs::metadata(self.generation(generation).join("meta.json"));
        Stamp(meta.ok().and_then(|meta| Some((meta.modified().ok()?, meta.len(), file_number(&meta)))))
    }
}

#[cfg(unix)]
fn file_number(meta: &fs::Metadata) -> u64 {
    std::os::unix::fs::MetadataExt::ino(meta)
}

#[cfg(not(unix))]
fn file_number(_meta: &fs::Metadata) -> u64 {
    0
}

/// Bytes of the files of a directory, those that vanish meanwhile left out.
pub(crate) fn size_of_dir(dir: &Path) -> u64 {
    let Ok(entries) = fs::read_dir(dir) else {
        return 0;
    };
    entries
        .flatten()
        .filter_map(|entry| entry.metadata().ok())
        .filter(fs::Metadata::is_file)
        .map(|meta| meta.len())
        .sum()
}

/// Makes renames and new files of a directory survive a power cut.
pub(crate) fn sync_dir(dir: &Path) -> Result<(), Error> {
    File::open(dir).and_then(|d| d.sync_all()).map_err(Error::io(dir))
}

fn number(name: &str) -> Option<u32> {
    name.strip_prefix(PREFIX)?.parse().ok()
}

fn encode(pointer: &Pointer) -> String {
    let body = serde_json::to_string(pointer).unwrap_or_default();
    format!("{body}\n{}\n", checksum(&body))
}

fn decode(bytes: &[u8]) -> Option<Pointer> {
    let text = std::str::from_utf8(bytes).ok()?;
    let (body, sum) = text.split_once('\n')?;
    let pointer: Pointer = serde_json::from_str(body).ok()?;
    // A name from a damaged file must never lead out of the directory.
    number(&pointer.current)?;
    (sum.trim_end() == checksum(body)).then_some(pointer)
}

fn checksum(body: &str) -> String {
    let digest = Sha256::digest(body.as_bytes());
    digest[..8].iter().fold(String::new(), |out, byte| format!("{out}{byte:02x}"))
}
