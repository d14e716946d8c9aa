//! Faults that the server's console explains: the wire says what, a line says why.

use super::super::fault::{Fault, Setting};
use super::super::script::Step;

pub(super) const FAULTS: &[Fault] = &[
    Fault::path(
        "handler-exception",
        "closed",
        "An exception in the handler",
        "The application caught the exception, printed it and closed with 1011. The console line names the error; \
         mend the line of code that it points to.",
        &[Step::Accept, Step::Console(FATAL), Step::Close(1011, "Internal server error"), Step::AwaitClose, Step::Fin],
    ),
    Fault::path(
        "handler-exception-terminate",
        "fin",
        "An exception, and the connection is terminated",
        "The application printed the exception and ended TCP without a Close frame. The wire says nothing, the \
         console says why. Close with 1011 after an exception.",
        &[Step::Accept, Step::Confirm, Step::Console(FATAL), Step::Wait(50), Step::Fin],
    )
    .cause("handler-exception"),
    Fault::path(
        "handler-exception-rejection",
        "fin",
        "An unhandled rejection",
        "A promise was rejected and nobody waited for it; the process survived, because it listens for that, and the \
         connection ended. Await the call and catch its error.",
        &[
            Step::Accept,
            Step::Confirm,
            Step::Console(
                "[WebSocket] Unhandled Rejection at: Promise { <rejected> } reason: Error: createCall failed",
            ),
            Step::Wait(50),
            Step::Fin,
        ],
    )
    .cause("handler-exception"),
    Fault::path(
        "db-unreachable",
        "closed",
        "The database is unreachable",
        "The handler asked its database and got no connection; Prisma's line names host and port. Start the \
         database, or correct DATABASE_URL.",
        &[
            Step::Accept,
            Step::Console(
                "[WebSocket] ❌ Fatal error in connection handler: PrismaClientInitializationError: \
                 Can't reach database server at `localhost:5432`",
            ),
            Step::Close(1011, "Internal server error"),
            Step::AwaitClose,
            Step::Fin,
        ],
    ),
    Fault::new(
        "out-of-memory",
        "fin",
        "The process runs out of memory",
        "V8 printed that its heap is full and the process ended, so TCP ended without a Close frame and the port \
         refuses. Find what grows, or raise --max-old-space-size.",
        Setting::Dies(&[
            Step::Accept,
            Step::Confirm,
            Step::Console("FATAL ERROR: Reached heap limit Allocation failed - JavaScript heap out of memory"),
            Step::Wait(50),
            Step::Die,
            Step::Fin,
        ]),
    ),
    Fault::path(
        "fd-limit",
        "upgrade-cut",
        "No file descriptors left",
        "The process may open no more files, so a new connection ends before its answer. Find the leak of sockets, \
         or raise the limit (ulimit -n).",
        &[Step::Console("Error: accept EMFILE: too many open files"), Step::Wait(50), Step::Rst],
    ),
    Fault::new(
        "boot-crash",
        "connect-failed",
        "The server dies at start",
        "The port refuses because the process ended before it listened; its console has the error. Mend it and \
         start again.",
        Setting::NoListener(&[
            "node:internal/modules/esm/resolve:275",
            "Error [ERR_MODULE_NOT_FOUND]: Cannot find module '/app/dist/handlers/call.js' imported from \
             /app/dist/server.js",
            "Node.js v20.20.2",
        ]),
    ),
];

const FATAL: &str = "[WebSocket] ❌ Fatal error in connection handler: TypeError: \
    Cannot read properties of undefined (reading 'tenantId')";
