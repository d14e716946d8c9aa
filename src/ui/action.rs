//! What a click or a key means: panels push actions, the window carries them out after the pass.

use std::path::PathBuf;

use crate::diagnosis::Place;
use crate::engine::{Command, ConsoleSource, ExportJob};
use crate::observation::{ConnId, Moment, PastedConsole};
use crate::token::Variant;
use crate::ui::form::copied::Tool;

/// Something to be done after the pass.
#[derive(Debug)]
pub enum Action {
    /// Give the engine a command.
    Engine(Command),
    /// Open a connection with what the form says.
    Connect,
    /// Begin the closing handshake of the shown connection.
    Disconnect,
    /// Drop the shown connection.
    Abort,
    /// Connect to the practice server; with a fault, or healthy.
    Practice(Option<String>),
    /// Show another connection.
    Show(ConnId),
    /// Forget a connection that is over.
    Forget(ConnId),
    /// Open the form's connection so many times, one after the other.
    Repeat(u32),
    /// Select the row of the shown connection's log that lies at this place, and bring it into view.
    GoToPlace(Place),
    /// Select the first row of the shown connection's log at or after this moment, and bring it into view.
    GoToMoment(Moment),
    /// Select this row of the shown connection's log, and bring it into view.
    GoToRow(u64),
    /// Put a text into the URL field.
    SetUrl(String),
    /// Put a token into the form, where its placement says.
    UseToken(String),
    /// Connect with each of these variants of a token, one after the other.
    TryVariants(Vec<Variant>),
    /// Try no further variant.
    StopVariants,
    /// Put a token into the token panel and show it.
    InspectToken(String),
    /// Copy a text; the word says what, for the toast ("Copied the command").
    Copy {
        /// The text.
        text: String,
        /// What it is.
        what: String,
    },
    /// Copy the form's connection as a command of another tool.
    CopyAs(Tool),
    /// Say shortly that something was done.
    Toast(String),
    /// Listen on this port of this machine and relay to the form's server.
    Intercept {
        /// The port; 0 for any free one.
        port: u16,
        /// Put the server's name into `Host`.
        renames: bool,
        /// Tell the page why it was refused or dropped.
        tells: bool,
    },
    /// Listen no more.
    StopIntercept,
    /// Show where listening is asked for.
    InterceptForm,
    /// Save the shown connection: with a dialog, or to this path.
    Save(Option<PathBuf>),
    /// Bring what would leave to the front.
    Share,
    /// Write the shown connection in another format: with a dialog, or to this path.
    Export(Box<ExportJob>, Option<PathBuf>),
    /// Write what was to be exported to this path.
    ExportTo(PathBuf),
    /// Open a saved session: with a dialog, or from this path.
    Open(Option<PathBuf>),
    /// Bring a tab to the front.
    Tab(Tab),
    /// Show or hide the left region.
    ToggleLeft,
    /// Show or hide the right region.
    ToggleRight,
    /// Show or hide the palette of all actions.
    TogglePalette,
    /// Show or hide keys and help.
    ToggleHelp,
    /// Connect, or send the message if the compose line has the focus.
    ConnectOrSend,
    /// Leave the shown connection where it is and make the form ready for another one.
    NewConnection,
    /// Go back from a practice form to the user's own.
    OwnForm,
    /// Open no further connection of a repetition.
    StopRepeat,
    /// Measure for at most so many seconds what silence does to connections to the form's URL.
    StartLab(u64),
    /// Stop measuring.
    StopLab,
    /// Ask about a connection that is over what its verdict proposes.
    AskFurther(ConnId),
    /// Send the contents of a file as a binary message.
    SendFile(PathBuf),
    /// Ask for a name to save the form under.
    NameProfile,
    /// Save the form as the profile of this name.
    SaveProfile(String),
    /// Put the profile of this name in the form's place.
    UseProfile(String),
    /// Go back to the form that a profile took the place of.
    LeaveProfile,
    /// Delete the profile of this name.
    DeleteProfile(String),
    /// Read the secrets of a file into the form.
    ReadSecretFile(PathBuf),
    /// Let the user choose a file for a field.
    ChooseFile(FileField),
    /// Put the path that was chosen into its field.
    FileChosen(FileField, PathBuf),
    /// Attach a console of the server.
    AttachConsole(ConsoleSource),
    /// Add a pasted console to the shown session.
    PasteConsole {
        /// Which console it is from.
        console: PastedConsole,
        /// Its lines.
        text: String,
    },
    /// Show the console, with the form to attach one.
    AttachForm,
    /// Show the console, with the form for a paste.
    PasteForm,
    /// Give the focus to a field.
    Focus(Focus),
    /// Show the token panel, with the token of the clipboard if there is one.
    TokenFromClipboard,
    /// Go to the next row that the filter finds.
    FindNext,
    /// Go to the one before.
    FindPrevious,
    /// Change between the system's theme, light and dark.
    NextTheme,
    /// End the program.
    Quit,
}

/// A field that takes the path of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileField {
    /// The secret of the form.
    Secret,
    /// The certificate authority of the form.
    Authority,
    /// The client certificate of the form.
    ClientCertificate,
    /// The key of the client certificate.
    ClientKey,
    /// The file for the keys of TLS sessions.
    KeyLog,
    /// The file to send.
    Payload,
    /// The server's log.
    ServerLog,
}

/// A field that a key gives the focus.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Focus {
    /// The URL.
    Url,
    /// The filter of the log.
    Filter,
    /// The compose line.
    Compose,
}

/// A tab of one of the regions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
pub enum Tab {
    /// Left: the connection form.
    Connection,
    /// Left: the token panel.
    Token,
    /// Centre: the frame log.
    Log,
    /// Centre: the opening handshake, raw and as checks.
    Handshake,
    /// Centre: the server's console, and what a browser's says.
    Console,
    /// Centre: rates, sizes and round trips over time.
    Plots,
    /// Centre: two sessions side by side.
    Compare,
    /// Centre: what would leave in a report.
    Share,
    /// Right: the verdict and the checklist.
    Verdict,
    /// Right: the practice server's faults.
    Practice,
    /// Right: all connections.
    Sessions,
}
