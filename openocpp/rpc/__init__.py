"""OCPP-J: CALL, CALLRESULT and CALLERROR over a transport. Payloads are plain JSON objects here."""
