"""The words by which APIs say how a call ended, and what each means. Data; `outcomes` reads it.

Words are written here in small letters with neither hyphen nor underscore. What is done once more
must have been said in a word of its own: no pattern means `busy` or `no_answer`.

Sources: the public references of UnleashX, Millis AI, Retell (disconnection reasons), Vapi (ended
reasons), Bolna, Bland, Synthflow, Twilio, Exotel, Ozonetel, Vonage, Plivo, Sinch, SignalWire,
Azure's call automation and Close; FreeSWITCH's hangup causes (Q.850), and SIP's status codes with
Asterisk's mapping of them.
"""

from __future__ import annotations

import re

# What a word means: an outcome, with who ended it or why it failed after a colon; or
#   going     it is not over                      over    it is, and no more is said
#   nothing   the word for not knowing            canceled, timeout, error   by the duration
_MEANINGS = {
    "going": "initiated queued rescheduled ringing inprogress registered ongoing dialing started"
    " callstarted pending scheduled trying calling active processing running inqueue progress"
    " callinitiated callringing",
    "nothing": "unknown none null na undefined",
    "over": "completed complete ended end answered connected human callcompleted callended success"
    " successful done finished hangup normalclearing normalcallclearing normalunspecified normal"
    " disconnected calldisconnected callanswered terminated answer 200",
    "answered:person": "userended userhangup userhungup customerendedcall customerhangup"
    " customerhungup calleehangup calleehungup clienthangup clienthungup contacthangup"
    " recipienthangup humanhangup",
    "answered:agent": "agentended agenthangup agenthungup assistantendedcall"
    " assistantendedcallaftermessagespoken assistantendedcallwithhanguptask"
    " assistantsaidendcallphrase apiended bothangup bothungup agentendedcall managedhangup",
    "answered:time_limit": "maxdurationreached exceededmaxduration maxdurationexceeded"
    " callmaxduration",
    "answered:silence": "inactivity silencetimedout silencetimeout idletimeout inactivitytimeout"
    " silence",
    "answered:transfer": "calltransfer calltransferred transferred assistantforwardedcall forwarded"
    " managedtransfer",
    "canceled": "canceled cancelled cancel originatorcancel usercanceled usercancelled 487",
    "timeout": "timeout timedout",
    "error": "error",
    "voicemail": "voicemail hangupvoicemail hanguponvoicemail leftvoicemail answeringmachine fax"
    " vmleft voicemaildetected ivrreached",
    "no_answer": "noanswer unanswered notanswered didnotanswer customerdidnotanswer dialnoanswer"
    " nouserresponse nouserresponding ringtimeout ringtimeoutreached missed missedcall"
    " providernoanswer callnoanswer notreachable unreachable switchedoff subscriberabsent"
    " temporarilyunavailable 480 408",
    "busy": "busy dialbusy customerbusy userbusy calleebusy busyline linebusy providerbusy"
    " callbusy 486 600",
    "rejected": "rejected reject declined decline userdeclined userrejected calleerejected"
    " callrejected calldeclined customerdeclined customerrejected 603 608",
    "failed": "failed callfailed dialfailed notconnected providerfailed failure"
    " telephonyproviderunavailable telephonyproviderpermissiondenied siproutingerror"
    " networkoutoforder normaltemporaryfailure temporaryfailure switchcongestion congestion"
    " normalcircuitcongestion destinationoutoforder assistantnotfound assistantnotvalid"
    " twiliofailedtoconnectcall vonagefailedtoconnectcall 488 500 502 503 504",
    "failed:invalid_number": "invaliddestination unallocatednumber invalidnumber"
    " invalidnumberformat numberchanged twilioreportedcustomermisdialed misdialed wrongnumber"
    " noroutedestination noroutetodestination numberdoesnotexist notinservice 404 410 484 604",
    "failed:blocked": "markedasspam blocked donotcall dnd dnc blacklisted blacklist"
    " incomingcallbarred outgoingcallbarred scamdetected fraudcheckfailed 403 607",
    "failed:no_credit": "novalidpayment balancelow lowbalance insufficientcredits"
    " insufficientcredit insufficientfunds insufficientbalance nocreditpartner nocredit nocredits"
    " outofcredits 402",
    "failed:concurrency": "concurrencylimitreached concurrencylimit toomanycalls",
}
_WORDS = {word: meaning for meaning, words in _MEANINGS.items() for word in words.split()}
# Words of which there is no end; matched against small letters with single spaces between.
_FAMILIES: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("voicemail", re.compile(r"(machine|voicemail)\b.*")),
    ("failed:concurrency", re.compile(r".*\berror\b.*\bconcurrency limit\b.*")),
    (
        "failed:no_credit",
        re.compile(r".*\berror\b.*\b(insufficient credits|subscription frozen|credits?)\b.*"),
    ),
    ("failed:blocked", re.compile(r".*\berror\b.*\bfraud check\b.*")),
    ("error", re.compile(r"(.*\b)?errors?\b.*")),
)


def meaning(word: str) -> str:
    """What a word means; "" if nobody knows it."""
    plain = " ".join(re.findall(r"[a-z0-9]+", word.lower()))
    if not plain:
        return "" if word.strip() else "nothing"
    if known := _WORDS.get(plain.replace(" ", "")):
        return known
    return next((sort for sort, family in _FAMILIES if family.fullmatch(plain)), "")
