var ADDRESS = "https://…/hooks/sheet";
var SECRET = "…";

// Run this once: from then on every submitted form is sent.
function install() {
  ScriptApp.newTrigger("send").forSpreadsheet(SpreadsheetApp.getActive()).onFormSubmit().create();
}

function send(event) {
  var sheet = event.range.getSheet();
  var answers = {};
  var phone = "";
  Object.keys(event.namedValues).forEach(function (question) {
    var answer = event.namedValues[question].join(", ").trim();
    answers[question] = answer;
    if (!phone && /phone|mobile|whatsapp|telefon|t[eé]l[eé]|celular/i.test(question)) phone = answer;
  });
  var response = UrlFetchApp.fetch(ADDRESS, {
    method: "post",
    contentType: "application/json",
    headers: { Authorization: "Bearer " + SECRET },
    payload: JSON.stringify({
      event_id: [sheet.getParent().getId(), sheet.getName(), event.range.getRow()].join("-"),
      submitted_at: new Date().toISOString(),
      phone: phone,
      answers: answers
    }),
    muteHttpExceptions: true
  });
  console.log(response.getResponseCode() + " " + response.getContentText());
}
