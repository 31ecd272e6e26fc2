//! A real image in a store of its own, for what takes an image by name: `podman build` and `podman kube play`.
//!
//! It holds a Python, what that loads, and the program; nothing else of the host. Store, image and mounts end with the run.

use super::{Contained, Filter, Podman};

/// What the page's Dockerfile begins with.
pub const IMAGE: &str = "localhost/python:3.13-slim";

impl Podman<'_, '_> {
    /// Runs a shell script in which `docker` is this engine with an own store, and `IMAGE` the name of the one image in it.
    /// The folder `/work` of the image belongs to the group 1000, and so does a volume that is made for it. Nothing where
    /// there is no program that can be the first of a pod.
    ///
    /// # Panics
    /// When the engine can not be started.
    #[must_use]
    pub fn with_image(&self, text: &str, filter: Filter) -> Option<Contained> {
        if !self.world.has_program("catatonit") {
            return None;
        }
        let whole = format!(
            "set -e\n{store}{image}{text}\n",
            store = self.store(text, filter),
            image = self.image(),
            text = text.replace("IMAGE", IMAGE),
        );
        Some(self.run(&whole))
    }

    /// The settings and the store of an engine that nobody else knows.
    fn store(&self, text: &str, filter: Filter) -> String {
        let folder = self.folder.join("overlay");
        // Hybrid control groups are refused by crun, but pods want some.
        let groups = if text.contains("kube play") {
            ""
        } else {
            "cgroups = \"disabled\"\n"
        };
        let profile = match filter {
            Filter::Default => String::new(),
            Filter::LikeDocker => {
                let filter = self.folder.join("filter.json");
                format!("seccomp_profile = \"{}\"\n", filter.display())
            }
        };
        format!(
            "mount -t tmpfs tmpfs {folder}\n\
             if mountpoint -q /sys/fs/cgroup/unified; then umount /sys/fs/cgroup/unified; fi\n\
             export TMPDIR={folder} CONTAINERS_CONF={folder}/containers.conf\n\
             cat >{folder}/containers.conf <<'end'\n\
             [containers]\n{groups}{profile}default_ulimits = [\"nofile=1024:1024\", \"nproc=4096:4096\"]\n\
             [engine]\ncgroup_manager = \"cgroupfs\"\nend\n\
             docker() {{ podman --root {folder}/store --runroot {folder}/run --tmpdir {folder}/tmp \
             --storage-driver overlay \"$@\"; }}\n",
            folder = folder.display()
        )
    }

    /// Makes the image.
    fn image(&self) -> String {
        let image = self.folder.join("overlay/image");
        let python = self.world.python().path.display().to_string();
        format!(
            "mkdir -p {image}/usr/local/bin {image}/tmp {image}/work\n\
             chown 0:1000 {image}/work; chmod 2775 {image}/work\n\
             library=$({python} -I -c 'import sysconfig; print(sysconfig.get_path(\"stdlib\"))')\n\
             cp -L --parents /bin/sh {python} {image}\n\
             tar -c --exclude=__pycache__ --exclude=test $library 2>/dev/null | tar -x -C {image}\n\
             ldd /bin/sh {python} {program} $library/lib-dynload/*.so 2>/dev/null | grep -o '/[^ :]*[.]so[^ :]*' | \
             sort -u | while read -r file; do test ! -f $file || cp -L --parents $file {image}; done\n\
             ln -s {python} {image}/usr/local/bin/python3\n\
             cp {program} {image}/usr/local/bin/fumehood; chmod 755 {image}/usr/local/bin/fumehood\n\
             tar -C {image} -c . | docker import --change ENV=PATH=/usr/local/bin:/usr/bin:/bin \
             --change ENV=FUMEHOOD_DEFAULT_INDEX={index} - {IMAGE} >/dev/null 2>&1\n",
            image = image.display(),
            program = self.world.program().display(),
            index = self.world.index.url(),
        )
    }
}
