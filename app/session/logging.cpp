#include "app/session/logging.h"

Q_LOGGING_CATEGORY(lcSession, "qs.session", QtInfoMsg)
Q_LOGGING_CATEGORY(lcJobs, "qs.jobs", QtInfoMsg)
Q_LOGGING_CATEGORY(lcUi, "qs.ui", QtInfoMsg)
