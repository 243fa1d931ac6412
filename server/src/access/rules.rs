//! The rules that say what a client is asked for, as `pg_hba.conf` has them: the first that fits decides.

use std::net::IpAddr;
use std::path::Path;

use ipnet::IpNet;

use crate::access::rules::fields::{Field, Fields, lines};

mod fields;

/// The rules, in order.
#[derive(Debug)]
pub struct Rules(Vec<Rule>);

/// A rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    transport: Transport,
    /// Nothing is all of them.
    databases: Option<Vec<Database>>,
    /// Nothing is all of them.
    users: Option<Vec<String>>,
    /// Nothing is everywhere.
    addresses: Option<IpNet>,
    /// What the client is asked for.
    pub method: Method,
    /// What it has to show besides.
    pub client_certificate: ClientCertificate,
}

/// By which way a client comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Transport {
    /// `local`: by a Unix socket
    Local,
    /// `host`: by TCP
    Host,
    /// `hostssl`: by TCP, encrypted
    HostSsl,
    /// `hostnossl`: by TCP, not encrypted
    HostNoSsl,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Database {
    Named(String),
    /// `sameuser`: that of the user's name
    SameUser,
}

/// What a client is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// Nothing: it is let in.
    Trust,
    /// Nothing: it is not let in.
    Reject,
    /// That it knows the password.
    ScramSha256,
    /// The same, or what old clients can do if that is what is kept of the password.
    Md5,
    /// The password, in clear.
    Password,
    /// A certificate for its name.
    Certificate,
}

/// What a client has to show besides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClientCertificate {
    /// Nothing.
    NotAsked,
    /// A certificate (`verify-ca`).
    Any,
    /// A certificate for its name (`verify-full`).
    OfUser,
}

/// A client that wants to come in.
#[derive(Debug, Clone, Copy)]
pub struct Asking<'a> {
    /// Where it is; nowhere is this machine's Unix socket.
    pub address: Option<IpAddr>,
    /// Whether the connection is encrypted.
    pub encrypted: bool,
    /// Its database.
    pub database: &'a str,
    /// Its role.
    pub user: &'a str,
}

/// Why rules cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum RulesError {
    /// The file cannot be read.
    #[error("could not open rules of access \"{path}\": {source}")]
    File {
        /// The file.
        path: String,
        /// Why.
        source: std::io::Error,
    },
    /// A line is none.
    #[error("line {line} of rules of access \"{path}\": {reason}")]
    Line {
        /// The file.
        path: String,
        /// Which.
        line: usize,
        /// What is wrong with it.
        reason: String,
    },
    /// Nobody could come in.
    #[error("rules of access \"{path}\" have no entries")]
    Empty {
        /// The file.
        path: String,
    },
}

impl Rules {
    /// The rules when there is no file: who is on this machine is trusted, and who comes from one of these networks; all
    /// others have to know a password.
    pub fn standard(trusted: &[IpNet]) -> Self {
        let rule = |transport, addresses, method| Rule {
            transport,
            databases: None,
            users: None,
            addresses,
            method,
            client_certificate: ClientCertificate::NotAsked,
        };
        let loopback = ["127.0.0.0/8", "::1/128"].map(|network| network.parse().expect("it is a network"));
        let trusted = loopback.iter().chain(trusted);
        let mut rules = vec![rule(Transport::Local, None, Method::Trust)];
        rules.extend(trusted.map(|network| rule(Transport::Host, Some(*network), Method::Trust)));
        rules.push(rule(Transport::Host, None, Method::ScramSha256));
        Rules(rules)
    }

    /// Reads a file.
    ///
    /// # Errors
    /// It cannot be read, or one of its lines is no rule.
    pub fn read(path: &Path, client_authorities: bool) -> Result<Self, RulesError> {
        let shown = path.display().to_string();
        let text = std::fs::read_to_string(path).map_err(|source| RulesError::File { path: shown.clone(), source })?;
        let rules = lines(&text).map(|(line, text)| {
            rule(&text, client_authorities).map_err(|reason| RulesError::Line { path: shown.clone(), line, reason })
        });
        let rules: Vec<_> = rules.filter_map(Result::transpose).collect::<Result<_, _>>()?;
        if rules.is_empty() {
            return Err(RulesError::Empty { path: shown });
        }
        Ok(Rules(rules))
    }

    /// The rule for a client, if one fits.
    pub fn find(&self, asking: Asking<'_>) -> Option<&Rule> {
        self.0.iter().find(|rule| rule.fits(asking))
    }
}

impl Rule {
    fn fits(&self, asking: Asking<'_>) -> bool {
        let transport = match (self.transport, asking.address) {
            (Transport::Local, None) | (Transport::Host, Some(_)) => true,
            (Transport::HostSsl, Some(_)) => asking.encrypted,
            (Transport::HostNoSsl, Some(_)) => !asking.encrypted,
            _ => false,
        };
        let address = match (self.addresses, asking.address) {
            (Some(network), Some(address)) => network.contains(&address.to_canonical()),
            _ => true,
        };
        let database = self.databases.as_ref().is_none_or(|databases| {
            databases.iter().any(|database| match database {
                Database::Named(name) => name == asking.database,
                Database::SameUser => asking.user == asking.database,
            })
        });
        let user = self.users.as_ref().is_none_or(|users| users.iter().any(|user| user == asking.user));
        transport && address && database && user
    }
}

/// The rule in a line, if it has one.
fn rule(line: &str, client_authorities: bool) -> Result<Option<Rule>, String> {
    let mut fields = Fields::read(line)?;
    let Some(transport) = fields.next() else { return Ok(None) };
    let transport = match transport.single("connection type")? {
        "local" => Transport::Local,
        "host" | "hostnogssenc" => Transport::Host,
        "hostssl" => Transport::HostSsl,
        "hostnossl" => Transport::HostNoSsl,
        other => return Err(format!("invalid connection type \"{other}\"")),
    };
    let databases = databases(&fields.must("database specification")?)?;
    let users = users(&fields.must("role specification")?)?;
    let addresses = match transport {
        Transport::Local => None,
        _ => addresses(&mut fields)?,
    };
    let method = method(fields.must("authentication method")?.single("authentication type")?, transport)?;
    let mut client_certificate = match method {
        Method::Certificate => ClientCertificate::OfUser,
        _ => ClientCertificate::NotAsked,
    };
    for option in fields {
        client_certificate = certificate_option(option.single("option")?, transport, method)?;
    }
    if client_certificate != ClientCertificate::NotAsked && !client_authorities {
        return Err("client certificates can only be checked if tls-client-ca is set".to_owned());
    }
    Ok(Some(Rule { transport, databases, users, addresses, method, client_certificate }))
}

fn databases(field: &Field) -> Result<Option<Vec<Database>>, String> {
    if field.has_keyword("all") {
        return Ok(None);
    }
    let database = |word: &fields::Word| match word.keyword() {
        Some("sameuser") => Ok(Some(Database::SameUser)),
        // Connections for replication are refused, so that a rule for them fits nobody.
        Some("replication") => Ok(None),
        Some(keyword @ ("samerole" | "samegroup")) => Err(format!("\"{keyword}\" is not supported")),
        _ => word.name().map(|name| Some(Database::Named(name.to_owned()))),
    };
    let databases = field.0.iter().map(database).filter_map(Result::transpose).collect::<Result<_, _>>()?;
    Ok(Some(databases))
}

fn users(field: &Field) -> Result<Option<Vec<String>>, String> {
    if field.has_keyword("all") {
        return Ok(None);
    }
    let user = |word: &fields::Word| match word.keyword() {
        Some(group) if group.starts_with('+') => Err(format!("members of a role, \"{group}\", are not supported")),
        _ => word.name().map(str::to_owned),
    };
    field.0.iter().map(user).collect::<Result<_, _>>().map(Some)
}

/// `all`, a network, or an address and a mask.
fn addresses(fields: &mut Fields) -> Result<Option<IpNet>, String> {
    let field = fields.must("IP address specification")?;
    let text = field.single("host address")?;
    if text == "all" {
        return Ok(None);
    }
    if let Ok(network) = text.parse::<IpNet>() {
        return Ok(Some(network));
    }
    let Ok(address) = text.parse::<IpAddr>() else {
        return Err(format!("\"{text}\" is no IP address, and host names are not supported"));
    };
    let mask = fields.must("netmask")?;
    let mask = mask.single("netmask")?;
    let network = mask.parse().ok().and_then(|mask| IpNet::with_netmask(address, mask).ok());
    network.map(Some).ok_or_else(|| format!("invalid IP mask \"{mask}\""))
}

fn method(name: &str, transport: Transport) -> Result<Method, String> {
    match name {
        "trust" => Ok(Method::Trust),
        "reject" => Ok(Method::Reject),
        "scram-sha-256" => Ok(Method::ScramSha256),
        "md5" => Ok(Method::Md5),
        "password" if matches!(transport, Transport::HostSsl | Transport::Local) => Ok(Method::Password),
        "password" => Err("a password is sent in clear: write hostssl, or another method".to_owned()),
        "cert" if transport == Transport::HostSsl => Ok(Method::Certificate),
        "cert" => Err("cert authentication is only supported on hostssl connections".to_owned()),
        "peer" | "ident" | "gss" | "sspi" | "pam" | "bsd" | "ldap" | "radius" => {
            Err(format!("authentication method \"{name}\" is not supported"))
        }
        _ => Err(format!("invalid authentication method \"{name}\"")),
    }
}

fn certificate_option(option: &str, transport: Transport, method: Method) -> Result<ClientCertificate, String> {
    match option.split_once('=') {
        Some(("clientcert", _)) if transport != Transport::HostSsl => {
            Err("clientcert can only be configured for \"hostssl\" rows".to_owned())
        }
        Some(("clientcert", "verify-full")) => Ok(ClientCertificate::OfUser),
        Some(("clientcert", "verify-ca")) if method == Method::Certificate => {
            Err("clientcert only accepts \"verify-full\" when using \"cert\" authentication".to_owned())
        }
        Some(("clientcert", "verify-ca")) => Ok(ClientCertificate::Any),
        Some(("clientcert", value)) => Err(format!("invalid value for clientcert: \"{value}\"")),
        Some((name, _)) => Err(format!("authentication option \"{name}\" is not supported")),
        None => Err(format!("authentication option not in name=value format: {option}")),
    }
}

#[cfg(test)]
mod tests;
