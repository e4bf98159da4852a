// Node-RED without its editor, on loopback.
module.exports = {
  uiHost: "127.0.0.1",
  uiPort: process.env.PORT,
  httpAdminRoot: false,
  credentialSecret: false,
  telemetry: { enabled: false, updateNotification: false },
  logging: { console: { level: "warn", metrics: false, audit: false } },
};
