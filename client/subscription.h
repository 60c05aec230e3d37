/* SPDX-License-Identifier: GPL-2.0-only */
/* What a message of Subscribe says. Knows neither the stream nor what events mean. */
#pragma once

#include "connection.h"

#define SUBSCRIBE "Subscribe"

struct subscription_message {
	struct reply reply; /* of an error, only that is set */
	struct slice event; /* an object of type Event; .text NULL without one */
	struct slice lost;  /* of type Lost; likewise */
};

/* 0, or -EBADMSG. Slices point into @message. */
int subscription_read(struct slice message, struct subscription_message *ret_message);
