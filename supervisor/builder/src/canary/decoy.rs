//! The decoys: where they lie, and what they say. Valid for whoever reads such files, of use to
//! nobody: every host in them is one that can not exist (RFC 2606).

use super::Token;

/// One decoy.
pub(super) struct Decoy {
    /// Relative to the home.
    pub(super) path: &'static str,
    /// What it says, with the token in it.
    pub(super) text: fn(&Token) -> String,
}

/// What thieves of credentials look for first, and honest build tools do not read.
pub(super) const ALL: [Decoy; 9] = [
    Decoy {
        path: ".ssh/id_ed25519",
        text: ssh,
    },
    Decoy {
        path: ".aws/credentials",
        text: aws,
    },
    Decoy {
        path: ".config/gcloud/application_default_credentials.json",
        text: gcloud,
    },
    Decoy {
        path: ".netrc",
        text: netrc,
    },
    Decoy {
        path: ".pypirc",
        text: pypirc,
    },
    Decoy {
        path: ".git-credentials",
        text: git,
    },
    Decoy {
        path: ".kube/config",
        text: kube,
    },
    Decoy {
        path: ".docker/config.json",
        text: docker,
    },
    Decoy {
        path: ".bash_history",
        text: history,
    },
];

/// A key in PKCS #8 (RFC 8410): 16 bytes that say so, then the key. The token is its 24 bytes from
/// the third on, which begin at a boundary of base64.
fn ssh(token: &Token) -> String {
    let token = token.text();
    format!(
        "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIJ8x{token}Qm5kZXJh\n-----END PRIVATE KEY-----\n"
    )
}

fn aws(token: &Token) -> String {
    let token = token.text();
    let id = token[..16].to_ascii_uppercase();
    format!("[default]\naws_access_key_id = AKIA{id}\naws_secret_access_key = {token}0aB1cD2e\n")
}

fn gcloud(token: &Token) -> String {
    let token = token.text();
    format!(
        "{{\n  \"type\": \"authorized_user\",\n  \"client_id\": \"build.invalid\",\n  \"client_secret\": \"x\",\n  \"refresh_token\": \"1//{token}\"\n}}\n"
    )
}

fn netrc(token: &Token) -> String {
    let token = token.text();
    format!("machine packages.invalid\nlogin build\npassword {token}\n")
}

fn pypirc(token: &Token) -> String {
    let token = token.text();
    format!(
        "[distutils]\nindex-servers =\n    internal\n\n[internal]\nrepository = https://packages.invalid/legacy/\nusername = __token__\npassword = {token}\n"
    )
}

fn git(token: &Token) -> String {
    let token = token.text();
    format!("https://build:{token}@git.invalid\n")
}

fn kube(token: &Token) -> String {
    let token = token.text();
    format!(
        "apiVersion: v1\nkind: Config\nclusters:\n- name: main\n  cluster:\n    server: https://cluster.invalid\nusers:\n- name: build\n  user:\n    token: {token}\ncontexts:\n- name: main\n  context:\n    cluster: main\n    user: build\ncurrent-context: main\n"
    )
}

fn docker(token: &Token) -> String {
    let token = token.text();
    format!(
        "{{\n  \"auths\": {{\n    \"registry.invalid\": {{\n      \"identitytoken\": \"{token}\"\n    }}\n  }}\n}}\n"
    )
}

fn history(token: &Token) -> String {
    let token = token.text();
    format!("cd work\nexport DEPLOY_TOKEN={token}\nssh deploy@git.invalid\n")
}
