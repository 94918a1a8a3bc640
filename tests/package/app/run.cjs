const vicinal = require("vicinal");

import("./round-trip.js")
  .then(({ roundTrip }) => roundTrip(vicinal, JSON.parse(process.argv[2])))
  .then((answer) => console.log(JSON.stringify(answer)));
