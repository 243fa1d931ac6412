//! The server's side of SCRAM-SHA-256 (RFC 5802, RFC 7677): who knows a password, without the password being sent.
//!
//! The channel is bound by `tls-server-end-point` (RFC 5929). User names in the messages are ignored: the start-up message
//! has said who it is.

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use subtle::ConstantTimeEq;

use crate::access::random_bytes;
use crate::access::verifier::{Hash, ScramVerifier, hash, sign};

/// The mechanism that binds no channel …
pub const MECHANISM: &str = "SCRAM-SHA-256";
/// … and the one that does.
pub const MECHANISM_PLUS: &str = "SCRAM-SHA-256-PLUS";
/// Bytes of our part of the nonce, as in PostgreSQL (`SCRAM_RAW_NONCE_LEN`).
const NONCE_BYTES: usize = 18;
const BINDING_TYPE: &str = "tls-server-end-point";

/// Why the exchange ends.
#[derive(Debug, PartialEq, Eq)]
pub enum ScramFailure {
    /// The client does not know the password.
    Refused,
    /// It has broken the protocol.
    Malformed {
        /// One line.
        message: &'static str,
        /// Whole sentences.
        detail: &'static str,
    },
    /// What the client says about the channel is not so: somebody may be in between.
    Channel {
        /// One line.
        message: &'static str,
        /// Whole sentences.
        detail: &'static str,
    },
}

/// What the server knows of the channel.
#[derive(Debug, Clone, Copy)]
pub struct Channel<'a> {
    /// What binds to it; nothing where that is not offered.
    pub end_point: Option<&'a [u8]>,
    /// Whether the client has chosen the mechanism that binds it.
    pub plus: bool,
}

/// The exchange once the client's first message has been read.
pub struct Exchange<'a> {
    verifier: &'a ScramVerifier,
    /// What the client's last message must say about the channel.
    binding: Vec<u8>,
    client_first_bare: String,
    server_first: String,
    nonce: String,
}

impl<'a> Exchange<'a> {
    /// Reads the client's first message.
    ///
    /// # Errors
    /// It is none, or says something about the channel that is not so.
    pub fn begin(verifier: &'a ScramVerifier, channel: Channel<'_>, message: &str) -> Result<Self, ScramFailure> {
        let (flag, rest) = message.split_once(',').ok_or(MALFORMED)?;
        let (authorization, bare) = rest.split_once(',').ok_or(MALFORMED)?;
        if !authorization.is_empty() {
            return Err(malformed(
                "malformed SCRAM message",
                "The client uses authorization identity, but it is not supported.",
            ));
        }
        let mut binding = format!("{flag},,").into_bytes();
        binding.extend(bound_channel(flag, channel)?);
        let client_nonce = client_nonce(bare)?;
        let nonce = format!("{client_nonce}{}", BASE64.encode(random_bytes::<NONCE_BYTES>()));
        let server_first = format!("r={nonce},s={},i={}", BASE64.encode(&verifier.salt), verifier.iterations);
        Ok(Exchange { verifier, binding, client_first_bare: bare.to_owned(), server_first, nonce })
    }

    /// What the client is to prove that it knows the password with.
    pub fn challenge(&self) -> &str {
        &self.server_first
    }

    /// Reads the client's last message, and answers what shows that the server knows the password too.
    ///
    /// # Errors
    /// It is none, or the proof is not one.
    pub fn finish(self, message: &str) -> Result<String, ScramFailure> {
        let (without_proof, proof) = message.rsplit_once(",p=").ok_or(MALFORMED)?;
        let mut attributes = without_proof.split(',');
        let binding = attributes.next().and_then(|it| it.strip_prefix("c=")).ok_or(MALFORMED)?;
        let nonce = attributes.next().and_then(|it| it.strip_prefix("r=")).ok_or(MALFORMED)?;
        if BASE64.decode(binding).ok().as_ref() != Some(&self.binding) {
            return Err(ScramFailure::Channel { message: "SCRAM channel binding check failed", detail: "" });
        }
        if nonce != self.nonce {
            return Err(malformed("invalid SCRAM response", "Nonce does not match."));
        }
        let proof: Hash = BASE64.decode(proof).ok().and_then(|it| it.try_into().ok()).ok_or(MALFORMED)?;
        let signed = format!("{},{},{without_proof}", self.client_first_bare, self.server_first);
        let signature = sign(&self.verifier.stored_key, signed.as_bytes());
        let mut client_key = proof;
        client_key.iter_mut().zip(signature).for_each(|(byte, of_signature)| *byte ^= of_signature);
        if !bool::from(hash(&client_key).ct_eq(&self.verifier.stored_key)) {
            return Err(ScramFailure::Refused);
        }
        Ok(format!("v={}", BASE64.encode(sign(&self.verifier.server_key, signed.as_bytes()))))
    }
}

const MALFORMED: ScramFailure =
    malformed("malformed SCRAM message", "An attribute is missing, or not one that was expected.");

const fn malformed(message: &'static str, detail: &'static str) -> ScramFailure {
    ScramFailure::Malformed { message, detail }
}

/// What the client's last message must say of the channel, behind the flag that its first one begins with.
fn bound_channel(flag: &str, channel: Channel<'_>) -> Result<Vec<u8>, ScramFailure> {
    match (flag, channel) {
        ("n" | "y", Channel { plus: true, .. }) => Err(malformed(
            "malformed SCRAM message",
            "The client selected SCRAM-SHA-256-PLUS, but the SCRAM message does not include channel binding data.",
        )),
        // Somebody in between may have taken our offer away.
        ("y", Channel { end_point: Some(_), .. }) => Err(ScramFailure::Channel {
            message: "SCRAM channel binding negotiation error",
            detail: "The client supports SCRAM channel binding but thinks the server does not.  However, this server does support channel binding.",
        }),
        ("n" | "y", _) => Ok(Vec::new()),
        (_, Channel { plus: true, end_point: Some(end_point) }) if flag.starts_with("p=") => match &flag[2..] {
            BINDING_TYPE => Ok(end_point.to_vec()),
            _ => Err(malformed("unsupported SCRAM channel-binding type", "")),
        },
        _ if flag.starts_with("p=") => Err(malformed(
            "malformed SCRAM message",
            "The client selected SCRAM-SHA-256 without channel binding, but the SCRAM message includes channel binding data.",
        )),
        _ => Err(MALFORMED),
    }
}

/// The client's part of the nonce. What else its message has must be understood before it is let in, and is not.
fn client_nonce(bare: &str) -> Result<&str, ScramFailure> {
    let mut attributes = bare.split(',');
    if attributes.next().is_none_or(|user| !user.starts_with("n=")) {
        return Err(malformed("malformed SCRAM message", "The client requires an unsupported SCRAM extension."));
    }
    let nonce = attributes.next().and_then(|it| it.strip_prefix("r=")).ok_or(MALFORMED)?;
    match !nonce.is_empty() && nonce.bytes().all(|byte| byte.is_ascii_graphic()) {
        true => Ok(nonce),
        false => Err(malformed("malformed SCRAM message", "The nonce has non-printable characters.")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::access::verifier::ITERATIONS;

    const UNBOUND: Channel<'_> = Channel { end_point: None, plus: false };

    fn verifier() -> ScramVerifier {
        ScramVerifier::new("pencil", b"salt".to_vec(), ITERATIONS)
    }

    /// What a client with this password sends last.
    fn last_message(exchange: &Exchange<'_>, password: &str, binding: &[u8]) -> String {
        let mut salted = Hash::default();
        ring::pbkdf2::derive(ring::pbkdf2::PBKDF2_HMAC_SHA256, ITERATIONS, b"salt", password.as_bytes(), &mut salted);
        let client_key = sign(&salted, b"Client Key");
        let without_proof = format!("c={},r={}", BASE64.encode(binding), exchange.nonce);
        let signed = format!("{},{},{without_proof}", exchange.client_first_bare, exchange.server_first);
        let signature = sign(&hash(&client_key), signed.as_bytes());
        let proof: Vec<u8> = client_key.iter().zip(signature).map(|(key, signature)| key ^ signature).collect();
        format!("{without_proof},p={}", BASE64.encode(proof))
    }

    fn begin(verifier: &ScramVerifier) -> Exchange<'_> {
        Exchange::begin(verifier, UNBOUND, "n,,n=,r=abc").ok().unwrap()
    }

    #[test]
    fn who_knows_the_password_is_let_in() {
        let verifier = verifier();
        let right = begin(&verifier);
        let message = last_message(&right, "pencil", b"n,,");
        assert!(right.finish(&message).unwrap().starts_with("v="));
        let wrong = begin(&verifier);
        let message = last_message(&wrong, "pen", b"n,,");
        assert_eq!(wrong.finish(&message), Err(ScramFailure::Refused));
    }

    #[test]
    fn a_message_of_another_exchange_is_of_no_use() {
        let verifier = verifier();
        let message = last_message(&begin(&verifier), "pencil", b"n,,");
        assert!(matches!(begin(&verifier).finish(&message), Err(ScramFailure::Malformed { .. })));
    }

    #[test]
    fn the_channel_is_bound() {
        let verifier = verifier();
        let channel = Channel { end_point: Some(b"certificate"), plus: true };
        let begin = || Exchange::begin(&verifier, channel, "p=tls-server-end-point,,n=,r=abc").ok().unwrap();
        let bound = begin();
        let message = last_message(&bound, "pencil", b"p=tls-server-end-point,,certificate");
        assert!(bound.finish(&message).is_ok());
        let elsewhere = begin();
        let message = last_message(&elsewhere, "pencil", b"p=tls-server-end-point,,another");
        assert!(matches!(elsewhere.finish(&message), Err(ScramFailure::Channel { .. })));
    }

    #[test]
    fn what_is_said_of_the_channel_must_be_so() {
        let verifier = verifier();
        let plus = Channel { end_point: Some(b"x"), plus: true };
        let offered = Channel { end_point: Some(b"x"), plus: false };
        for (channel, message) in [
            (plus, "n,,n=,r=abc"),
            (plus, "y,,n=,r=abc"),
            (plus, "p=tls-unique,,n=,r=abc"),
            (offered, "y,,n=,r=abc"),
            (offered, "p=tls-server-end-point,,n=,r=abc"),
            (UNBOUND, "p=tls-server-end-point,,n=,r=abc"),
        ] {
            assert!(Exchange::begin(&verifier, channel, message).is_err(), "{message} {channel:?}");
        }
        assert!(Exchange::begin(&verifier, offered, "n,,n=,r=abc").is_ok());
        assert!(Exchange::begin(&verifier, UNBOUND, "y,,n=,r=abc").is_ok());
    }

    #[test]
    fn what_is_no_message_is_refused() {
        let verifier = verifier();
        for message in ["", "n", "n,,", "n,,n=", "n,,n=,r=", "n,a=eva,n=,r=abc", "n,,m=x,n=,r=abc", "x,,n=,r=abc"] {
            assert!(Exchange::begin(&verifier, UNBOUND, message).is_err(), "{message}");
        }
        for message in ["", "c=biws", "c=biws,r=abc", "c=biws,r=abc,p=", "p=,c=,r="] {
            assert!(begin(&verifier).finish(message).is_err(), "{message}");
        }
    }
}
