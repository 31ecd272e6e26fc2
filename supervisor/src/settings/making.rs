//! What the words about making wheels mean.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use model::{ConfigSettings, PackageName, Requirement};
use requirements::Constraint;

use super::extra::extra_build_deps;
use super::twin::Twin;
use super::{Layers, SettingsError, Value, constraints, places, words};
use crate::args::{MakingArgs, ReportArgs};

/// How wheels are made.
#[derive(Clone, Debug)]
pub(crate) struct MakingSettings {
    /// Where finished wheels are put, absolute.
    pub(crate) out_dir: PathBuf,
    /// The same as it was typed: what is printed is what people can paste.
    pub(crate) out_dir_typed: PathBuf,
    /// The Python that was asked for.
    pub(crate) python: Option<String>,
    /// Constraints on build requirements.
    pub(crate) build_constraints: Vec<Constraint>,
    /// Whether each of them needs a hash.
    pub(crate) require_build_hashes: bool,
    /// Settings for backends.
    pub(crate) config_settings: ConfigSettings,
    /// Settings for the backends of single packages.
    pub(crate) package_settings: BTreeMap<PackageName, ConfigSettings>,
    /// Whether packages may name URLs as build requirements.
    pub(crate) allow_url_build_requires: bool,
    /// Further build requirements of single packages.
    pub(crate) extra_build_deps: BTreeMap<PackageName, Vec<Requirement>>,
    /// Those whose version is the one that is chosen for the run time.
    pub(crate) match_runtime: BTreeMap<PackageName, Vec<Requirement>>,
    /// Builds at the same time.
    pub(crate) jobs: usize,
    /// Whether what another process makes is made beside it. A word for one run: no variable says it.
    pub(crate) force: bool,
    /// `SOURCE_DATE_EPOCH`
    pub(crate) source_date_epoch: Option<u64>,
    /// The folder with keys and known hosts for `git+ssh:`.
    pub(crate) ssh_folder: Option<PathBuf>,
}

/// The form of the answer on standard output.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ReportForm {
    /// One path a line.
    Text,
    /// One document.
    Json,
}

impl ReportForm {
    /// Understands `--output-format`.
    ///
    /// # Errors
    /// If the word is neither.
    pub(crate) fn new(typed: Option<&str>, layers: &Layers) -> Result<Self, SettingsError> {
        let form =
            Twin::new("--output-format", "FUMEHOOD_OUTPUT_FORMAT").one(typed, layers, |word| {
                match word {
                    "text" => Ok(Self::Text),
                    "json" => Ok(Self::Json),
                    _ => Err(format!("`{word}` is neither text nor json")),
                }
            })?;
        Ok(form.map_or(Self::Text, |value| value.value))
    }
}

/// What is reported, besides talk.
#[derive(Clone, Debug)]
pub(crate) struct ReportSettings {
    /// On standard output.
    pub(crate) form: ReportForm,
    /// A file for the document.
    pub(crate) file: Option<PathBuf>,
}

impl ReportSettings {
    /// Understands the flags.
    ///
    /// # Errors
    /// If a value does not fit.
    pub(crate) fn new(
        args: &ReportArgs,
        layers: &Layers,
        directory: &Path,
    ) -> Result<Self, SettingsError> {
        let file = Twin::new("--report", "FUMEHOOD_REPORT").one(
            args.report.as_deref(),
            layers,
            |text| places::path(text, directory),
        )?;
        Ok(Self {
            form: ReportForm::new(args.output_format.as_deref(), layers)?,
            file: file.map(|value| value.value),
        })
    }
}

impl MakingSettings {
    /// Understands the flags and reads the files of constraints; relative paths hang on `directory`. `out_dir` is where
    /// wheels go, for the commands that deliver some.
    ///
    /// # Errors
    /// If a value does not fit or a file of constraints can not be read.
    pub(crate) fn new(
        args: &MakingArgs,
        out_dir: Option<&str>,
        layers: &Layers,
        directory: &Path,
    ) -> Result<Self, SettingsError> {
        let out_dir = Twin::new("--out-dir", "FUMEHOOD_OUT_DIR").one(out_dir, layers, |text| {
            places::path(text, directory).map(|path| (path, PathBuf::from(text)))
        })?;
        let (out_dir, out_dir_typed) = out_dir.map_or_else(
            || (directory.join("dist"), PathBuf::from("dist")),
            |value| value.value,
        );
        let files = Twin::new("--build-constraint", "FUMEHOOD_BUILD_CONSTRAINT").every(
            &args.build_constraint,
            layers,
            // As it was typed, so that messages name it so.
            |text| places::path(text, directory).map(|_| PathBuf::from(text)),
        )?;
        let mut build_constraints = Vec::new();
        for Value { value, .. } in files {
            let file = constraints::only(&value, directory, &layers.environment)?;
            build_constraints.extend(file);
        }
        let (extra_build_deps, match_runtime) = extra_build_deps(args, layers)?;
        Ok(Self {
            out_dir,
            out_dir_typed,
            python: Twin::new("--python", "FUMEHOOD_PYTHON")
                .one(args.python.as_deref(), layers, |text| Ok(text.to_owned()))?
                .map(|value| value.value),
            build_constraints,
            require_build_hashes: Twin::new(
                "--require-build-hashes",
                "FUMEHOOD_REQUIRE_BUILD_HASHES",
            )
            .demanded(args.require_build_hashes, layers)?,
            config_settings: config_settings(args, layers)?,
            package_settings: package_settings(args, layers)?,
            allow_url_build_requires: allow_url_build_requires(args, layers)?,
            extra_build_deps,
            match_runtime,
            jobs: Twin::new("--jobs", "FUMEHOOD_JOBS")
                .one(args.jobs.as_deref(), layers, words::count)?
                .and_then(|value| usize::try_from(value.value).ok())
                .unwrap_or_else(builder::processors),
            force: args.force,
            source_date_epoch: Twin::new("SOURCE_DATE_EPOCH", "SOURCE_DATE_EPOCH")
                .one(None, layers, |text| {
                    text.parse()
                        .map_err(|_| format!("`{text}` is not a number of seconds since 1970"))
                })?
                .map(|value| value.value),
            ssh_folder: layers
                .environment
                .absolute("HOME")
                .map(|home| home.join(".ssh")),
        })
    }
}

/// Returns whether packages may name URLs as build requirements.
fn allow_url_build_requires(args: &MakingArgs, layers: &Layers) -> Result<bool, SettingsError> {
    let typed = args.allow_url_build_requires.then_some("true");
    let twin = Twin::flag_only("--allow-url-build-requires");
    let Some(allowed) = twin.one(typed, layers, words::yes_or_no)? else {
        return Ok(false);
    };
    if allowed.value
        && let Some(ceiling) = layers.ceiling()
    {
        ceiling.urls(&allowed.origin)?;
    }
    Ok(allowed.value)
}

/// Returns the settings for backends: what a later layer says about a key replaces what the earlier
/// ones say about it.
fn config_settings(args: &MakingArgs, layers: &Layers) -> Result<ConfigSettings, SettingsError> {
    let twin = Twin::new("--config-setting", "FUMEHOOD_CONFIG_SETTING");
    // Each is checked alone, so that the error knows its origin.
    let texts = twin.every(&args.config_setting, layers, |text| {
        ConfigSettings::default()
            .add(text)
            .map(|()| text.to_owned())
    })?;
    let key = |text: &str| text.split('=').next().map(str::to_owned);
    let mut settings = ConfigSettings::default();
    for (at, Value { value, origin }) in texts.iter().enumerate() {
        let replaced = texts[at..].iter().any(|later| {
            key(&later.value) == key(value) && !later.origin.is_of_the_layer_of(origin)
        });
        if !replaced {
            settings.add(value).map_err(|what| SettingsError::Unfit {
                origin: origin.clone(),
                what,
            })?;
        }
    }
    Ok(settings)
}

/// Returns the settings for the backends of single packages, layered as the others are.
fn package_settings(
    args: &MakingArgs,
    layers: &Layers,
) -> Result<BTreeMap<PackageName, ConfigSettings>, SettingsError> {
    let twin = Twin::new(
        "--config-setting-package",
        "FUMEHOOD_CONFIG_SETTING_PACKAGE",
    );
    let texts = twin.every(&args.config_setting_package, layers, |text| {
        let unfit = || format!("`{text}` is not PKG:KEY=VALUE, such as numpy:setup-args=-Dx=y");
        let (package, setting) = text.split_once(':').ok_or_else(unfit)?;
        let package = words::package(package).ok_or_else(unfit)?;
        let (key, _) = setting.split_once('=').ok_or_else(unfit)?;
        ConfigSettings::default().add(setting)?;
        Ok((package, key.to_owned(), setting.to_owned()))
    })?;
    let mut settings = BTreeMap::<_, ConfigSettings>::new();
    for (at, Value { value, origin }) in texts.iter().enumerate() {
        let (package, key, setting) = value;
        let replaced = texts[at..].iter().any(|later| {
            (&later.value.0, &later.value.1) == (package, key)
                && !later.origin.is_of_the_layer_of(origin)
        });
        if !replaced {
            let own = settings.entry(package.clone()).or_default();
            own.add(setting).map_err(|what| SettingsError::Unfit {
                origin: origin.clone(),
                what,
            })?;
        }
    }
    Ok(settings)
}
