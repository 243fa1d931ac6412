//! COPY FROM STDIN: the messages between CopyInResponse and the end of the data.

use pgwire::messages::copy::CopyInResponse;
use pgwire::messages::{PgWireBackendMessage, PgWireFrontendMessage};

use crate::error::Error;
use crate::statement::CopyIn;
use crate::wire::Failure;
use crate::wire::codec::DecodeFailure;
use crate::wire::connection::Connection;
use pg::copy_format::CopyFormat;

/// What the protocol calls a format, of the data and of each column; CSV is text.
pub(super) fn wire_format(format: CopyFormat) -> i8 {
    i8::from(format == CopyFormat::Binary)
}

impl Connection {
    /// Asks for the data, takes it, and answers the command tag. When it fails, what the client still sends is ignored
    /// by the loop that comes back to it.
    pub(super) async fn copy_in(&mut self, mut copy: CopyIn) -> Result<String, Failure> {
        let columns = i16::try_from(copy.columns()).unwrap_or(i16::MAX);
        let format = wire_format(copy.format());
        let formats = vec![i16::from(format); copy.columns()];
        let response = CopyInResponse::new(format, columns, formats);
        self.message(PgWireBackendMessage::CopyInResponse(response))?;
        self.output.flush().await.map_err(Failure::Disconnected)?;
        let guard = copy.guard();
        let incoming = self.incoming.clone();
        let _taken = incoming.take();
        loop {
            let message = match guard.run(incoming.next()).await? {
                Ok(Some(message)) => message.map_err(|(_, error)| error)?,
                Err(DecodeFailure::Io(error)) => return Err(Failure::Disconnected(error)),
                Err(DecodeFailure::Broken(_)) => return Err(disconnected()),
                // Without CopyDone nothing was promised, and nothing is kept.
                Ok(None) => return Err(disconnected()),
            };
            match message {
                PgWireFrontendMessage::CopyData(data) => copy.take(&data.data)?,
                PgWireFrontendMessage::CopyDone(_) => return Ok(copy.finish(&mut self.session).await?),
                PgWireFrontendMessage::CopyFail(fail) => {
                    return Err(Error::CopyFailed { message: fail.message }.into());
                }
                // Clients send these behind Execute, before they know that it is a COPY.
                PgWireFrontendMessage::Flush(_) | PgWireFrontendMessage::Sync(_) => {}
                _ => {
                    let message = "unexpected message type during COPY from stdin".to_owned();
                    return Err(Error::Protocol { message }.into());
                }
            }
        }
    }
}

fn disconnected() -> Failure {
    Failure::Disconnected(std::io::ErrorKind::UnexpectedEof.into())
}
