//! Files of rows, written into object storage.
//!
//! Rows come in the order in which they shall be in the files, those of a partition together. A task for each partition
//! makes files of them, one after the other, and encodes pieces of a file at the same time; several partitions' tasks are
//! under way at once. What is written is not there for anybody before [`WrittenFiles::publish`]: a large file's parts wait
//! in the store to be put together, a small one's bytes in memory. So a statement that fails leaves nothing behind.

mod body;
mod partition_files;
mod places;
mod upload;
mod writer;

pub use body::{FileEncoding, LineEncoder, ParquetEncoding};
pub use partition_files::NameFiles;
pub use places::{PartitionFolders, WriteFolder};
pub use upload::{Removed, WrittenFile, remove_file};
pub use writer::{FilesWriter, WriteOptions, WrittenFiles};
