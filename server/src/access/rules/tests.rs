use super::*;

fn rules(text: &str) -> Result<Rules, String> {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("pg_hba.conf");
    std::fs::write(&path, text).unwrap();
    Rules::read(&path, true)
        .map_err(|error| error.to_string().split_once("\": ").map_or(String::new(), |it| it.1.into()))
}

/// What a client is asked for; `address` may be `local`, and begins with `tls:` when the connection is encrypted.
fn asked(rules: &Rules, address: &str, database: &str, user: &str) -> Option<Method> {
    let encrypted = address.starts_with("tls:");
    let address = address.trim_start_matches("tls:").parse().ok();
    rules.find(Asking { address, encrypted, database, user }).map(|rule| rule.method)
}

#[test]
fn the_standard_rules_trust_this_machine_and_the_networks_that_are_named() {
    let rules = Rules::standard(&["172.20.0.0/16".parse().unwrap()]);
    for (address, method) in [
        ("local", Method::Trust),
        ("127.0.0.1", Method::Trust),
        ("127.8.0.1", Method::Trust),
        ("::1", Method::Trust),
        ("::ffff:127.0.0.9", Method::Trust),
        ("tls:172.20.3.4", Method::Trust),
        ("10.0.0.1", Method::ScramSha256),
        ("tls:2001:db8::1", Method::ScramSha256),
    ] {
        assert_eq!(asked(&rules, address, "d", "u"), Some(method), "{address}");
    }
}

#[test]
fn the_first_rule_that_fits_decides() {
    let rules = rules(
        "# who may come in\n\
         local    all          postgres                        reject\n\
         host     sales,\"all\"  eva, \"adam\"   10.0.0.0 255.0.0.0  md5   # two words are one field\n\
         hostssl  sameuser     all         \\\n   ::/0          cert\n\
         hostnossl all         all         10.1.2.3/32         reject\n\
         \n\
         host     all          all         0.0.0.0/0           scram-sha-256\n",
    )
    .unwrap();
    for (address, database, user, method) in [
        ("local", "x", "postgres", Some(Method::Reject)),
        ("local", "x", "eva", None),
        ("10.9.9.9", "sales", "eva", Some(Method::Md5)),
        ("10.9.9.9", "all", "adam", Some(Method::Md5)),
        ("10.9.9.9", "other", "adam", Some(Method::ScramSha256)),
        ("tls:2001:db8::1", "eva", "eva", Some(Method::Certificate)),
        ("2001:db8::1", "eva", "eva", None),
        ("10.1.2.3", "x", "y", Some(Method::Reject)),
        ("tls:10.1.2.3", "x", "y", Some(Method::ScramSha256)),
    ] {
        assert_eq!(asked(&rules, address, database, user), method, "{address} {database} {user}");
    }
}

#[test]
fn what_is_no_rule_is_refused() {
    for (text, expected) in [
        ("", "no entries"),
        ("# nothing\n", "no entries"),
        ("tcp all all all trust", "invalid connection type \"tcp\""),
        ("host all", "end-of-line before role specification"),
        ("host all all", "end-of-line before IP address specification"),
        ("host all all 10.0.0.1", "end-of-line before netmask"),
        ("host all all 10.0.0.1 255.0.255.0 trust", "invalid IP mask"),
        ("host all all example.org trust", "host names are not supported"),
        ("host all all 10.0.0.0/33 trust", "no IP address"),
        ("host all all all", "end-of-line before authentication method"),
        ("host all all all magic", "invalid authentication method \"magic\""),
        ("host all all all ldap", "authentication method \"ldap\" is not supported"),
        ("host all all all password", "in clear"),
        ("host all all all cert", "only supported on hostssl"),
        ("host all all all md5 clientcert=verify-ca", "only be configured for \"hostssl\""),
        ("hostssl all all all md5 clientcert=1", "invalid value for clientcert"),
        ("hostssl all all all cert map=x", "option \"map\" is not supported"),
        ("host all +admins all trust", "members of a role"),
        ("host all @file all trust", "a file of names"),
        ("host all,sales all all,all trust", "multiple values"),
        ("host all \"eva all trust", "quotes that do not end"),
    ] {
        let error = rules(text).map(|_| ()).unwrap_err();
        let error = if error.is_empty() { "no entries".to_owned() } else { error };
        assert!(error.contains(expected), "{text}: {error}");
    }
}

#[test]
fn certificates_need_an_authority() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("pg_hba.conf");
    std::fs::write(&path, "hostssl all all all scram-sha-256 clientcert=verify-full\n").unwrap();
    assert!(Rules::read(&path, false).unwrap_err().to_string().contains("tls-client-ca"));
    let rules = Rules::read(&path, true).unwrap();
    assert_eq!(rules.0[0].client_certificate, ClientCertificate::OfUser);
}
