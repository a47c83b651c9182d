// Finds and loads the addon: a prebuilt one from prebuilds/, or the one built into build/Release. Nothing else is CommonJS.
module.exports = require("node-gyp-build")(__dirname);
