// node.js KIND FOLDER BYTES SECONDS: logs each line of its stdin with one of npm's loggers.
const path = require("path");
const readline = require("readline");

const [kind, folder, bytes, seconds] = process.argv.slice(2);
const size = Number(bytes);
const file = path.join(folder, "app.log");
const kilobytes = Math.max(1, Math.round(size / 1024));
const done = stream => new Promise(resolve => stream.end(resolve));

// Each kind returns [log a line, end].
function winston(options) {
  const library = require("winston");
  const transport = new library.transports.File({ filename: file, maxsize: size, ...options });
  return withWinston(library, transport);
}

function withWinston(library, transport) {
  const logger = library.createLogger({
    format: library.format.printf(entry => entry.message), transports: [transport] });
  // winston loses lines that come in a burst while it rotates: each one waits until the one before is
  // taken, or for a second, since of a lost one nothing is heard.
  let last = Promise.resolve();
  const log = line => {
    last = last.then(() => new Promise(resolve => {
      const patience = setTimeout(resolve, 1000);
      transport.once("logged", () => { clearTimeout(patience); resolve(); });
      logger.info(line);
    }));
  };
  const end = async () => {
    await last;
    const finished = new Promise(resolve => transport.on("finish", resolve));
    logger.end();
    return finished;
  };
  return [log, end];
}

function daily(options) {
  const library = require("winston");
  const Transport = require("winston-daily-rotate-file");
  return withWinston(library, new Transport({ dirname: folder, ...options }));
}

function rotatingFileStream(options, name = "app.log") {
  const { createStream } = require("rotating-file-stream");
  const stream = createStream(name, { path: folder, size: `${size}B`, ...options });
  stream.on("warning", error => console.error(error));
  return [line => stream.write(line + "\n"), () => done(stream)];
}

function log4js(appender) {
  const library = require("log4js");
  library.configure({
    appenders: { app: { filename: file, layout: { type: "messagePassThrough" }, ...appender } },
    categories: { default: { appenders: ["app"], level: "info" } } });
  const logger = library.getLogger();
  return [line => logger.info(line), () => new Promise(resolve => library.shutdown(resolve))];
}

async function pinoRoll(options) {
  const stream = await require("pino-roll")({ file: path.join(folder, "app"), size: `${kilobytes}k`,
                                              extension: ".log", ...options });
  return [line => stream.write(line + "\n"), () => new Promise(resolve => {
    stream.on("close", resolve);
    stream.end();
  })];
}

function fileStreamRotator() {
  const stream = require("file-stream-rotator").getStream({
    filename: file, size: `${kilobytes}k`, max_logs: "5000", audit_file: path.join(process.cwd(), "audit") });
  return [line => stream.write(line + "\n"), () => stream.end()];
}

// A period of bunyan's is a day, an hour or so many milliseconds.
function bunyan() {
  const logger = require("bunyan").createLogger({ name: "app", streams: [{
    type: "rotating-file", path: file, period: `${seconds * 1000}ms`, count: 5000 }] });
  return [line => logger.info(line), () => logger.streams[0].stream.destroySoon()];
}

const kinds = {
  "winston": () => winston({}),
  "winston-tailable": () => winston({ tailable: true, maxFiles: 5000 }),
  "daily-link": () => daily({ filename: "app", extension: ".log", datePattern: "YYYY", maxSize: size,
                              createSymlink: true, symlinkName: "current.log", auditFile: path.resolve("audit") }),
  "daily-size": () => daily({ filename: "app.log", datePattern: "YYYY", maxSize: size,
                              auditFile: path.resolve("audit") }),
  "daily-second": () => daily({ filename: "app-%DATE%.log", datePattern: "YYYYMMDD-HHmmss",
                                auditFile: path.resolve("audit") }),
  "rfs": () => rotatingFileStream({}),
  "rfs-rotate": () => rotatingFileStream({ rotate: 5000 }),
  "rfs-immutable": () => rotatingFileStream({ immutable: true }),
  "log4js": () => log4js({ type: "file", maxLogSize: size, backups: 5000 }),
  "log4js-extension": () => log4js({ type: "file", maxLogSize: size, backups: 5000, keepFileExt: true }),
  "log4js-date": () => log4js({ type: "dateFile", pattern: "yyyyMMdd-hhmmss", numBackups: 5000 }),
  "pino-roll": () => pinoRoll({}),
  "pino-roll-link": () => pinoRoll({ symlink: true }),
  "fsr": fileStreamRotator,
  "bunyan": bunyan,
};

(async () => {
  const [log, end] = await kinds[kind]();
  const input = readline.createInterface({ input: process.stdin });
  input.on("line", log);
  input.on("close", async () => {
    await end();
    process.exitCode = 0;
  });
})();
