//! A cache filled by hand as the other crates fill it, for tests of removal and check.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use cache::{Bucket, Cache};
use model::{Digest, Sha256};
use serde_json::json;

/// Puts a blob into a bucket.
pub(crate) fn blob(cache: &Cache, bucket: Bucket, bytes: &[u8]) -> Digest {
    let mut file = cache.staging_file().unwrap();
    file.write_all(bytes).unwrap();
    cache.put_blob(bucket, file).unwrap()
}

/// Makes the place `project` 1.0 stand for a source, and remembers what it stood for.
pub(crate) fn point(cache: &Cache, project: &str, current: &Digest, former: &[Digest]) -> PathBuf {
    let path = cache
        .bucket(Bucket::Pointers)
        .join(Sha256::of("index").to_string())
        .join(project)
        .join("1.0.json");
    let record = json!({
        "schema": "fumehood/pointer/1",
        "digest": current,
        "filename": format!("{project}-1.0.tar.gz"),
        "url": "https://example.invalid/",
        "former": former,
    });
    cache.write_record(&path, &record).unwrap();
    path
}

/// Puts a built wheel on the shelf and returns its folder.
pub(crate) fn wheel(cache: &Cache, project: &str, source: &Digest, key: &Sha256) -> PathBuf {
    let bytes = format!("wheel {project} {key}");
    let filename = format!("{project}-1.0-py3-none-any.whl");
    let folder = cache.wheel_folder(&project.parse().unwrap(), &"1.0".parse().unwrap(), key);
    let staged = cache.staging_dir().unwrap();
    fs::write(staged.path().join(&filename), &bytes).unwrap();
    let record = json!({
        "schema": "fumehood-record/1",
        "name": project, "version": "1.0", "filename": filename,
        "wheel": Digest { sha256: Sha256::of(&bytes), size: bytes.len() as u64 },
        "source": {"kind": "index", "digest": source, "subdirectory": null},
        "source_label": format!("{project}-1.0.tar.gz"),
        "key": key, "python": "cpython", "more": [1, 2],
    });
    cache
        .write_record(&staged.path().join("record.json"), &record)
        .unwrap();
    cache.publish_dir(staged, &folder).unwrap();
    cache.point_to_wheel(key, &folder).unwrap();
    folder
}

/// Puts an environment with one package into the cache and returns its folder.
pub(crate) fn environment(cache: &Cache, package: &str, interpreter: &Path) -> PathBuf {
    let name = Sha256::of(package);
    let folder = cache.bucket(Bucket::Environments).join(name.to_string());
    let staged = cache.staging_dir().unwrap();
    fs::create_dir_all(staged.path().join("env/lib")).unwrap();
    fs::write(staged.path().join("env/lib/module.py"), "x").unwrap();
    let record = json!({
        "schema": "fumehood/environment/1", "name": name, "installer": 1, "identity": "cpython",
        "interpreter": interpreter,
        "packages": [{"name": package, "version": "1.0", "wheel": "w.whl", "sha256": name}],
    });
    cache
        .write_record(&staged.path().join("environment.json"), &record)
        .unwrap();
    cache.publish_dir(staged, &folder).unwrap();
    folder
}

/// Makes an entry look as if it had been used last so long ago.
pub(crate) fn age(path: &Path, by: Duration) {
    let file = fs::File::open(path).unwrap();
    file.set_modified(SystemTime::now() - by).unwrap();
}

/// Lists everything below a folder with the length of its files, but for locks.
pub(crate) fn listing(root: &Path) -> Vec<(PathBuf, u64)> {
    let mut found = Vec::new();
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap().flatten() {
            let about = entry.metadata().unwrap();
            if about.is_dir() {
                folders.push(entry.path());
            }
            found.push((entry.path(), if about.is_file() { about.len() } else { 0 }));
        }
    }
    found.retain(|(path, _)| !path.starts_with(root.join("locks-v1")));
    found.sort();
    found
}
