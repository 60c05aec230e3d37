/* SPDX-License-Identifier: GPL-2.0-only */
/* Messages of Subscribe: subscription.h. */
#include "subscription.h"
#include "reader.h"

#include <string.h>

/*
 * As our daemon writes nearly all of them: then the event is passed on without being looked at.
 * What is between the two is one object, unless the daemon is not what it should be.
 */
static bool is_event(struct slice message, struct slice *ret_event)
{
	static const char before[] = "{\"parameters\":{\"event\":{",
			  after[] = "}},\"continues\":true}";
	size_t start = sizeof(before) - 2, end = sizeof(after) - 2;

	if (message.length < start + end + 2 || memcmp(message.text, before, start + 1) != 0 ||
	    memcmp(message.text + message.length - end - 1, after, end + 1) != 0)
		return false;
	*ret_event = (struct slice){ message.text + start, message.length - start - end };
	return true;
}

int subscription_read(struct slice message, struct subscription_message *ret_message)
{
	struct subscription_message read = {};
	struct reader reader;
	struct slice key;

	if (is_event(message, &read.event)) {
		*ret_message = read;
		return 0;
	}
	if (reply_read(message, &read.reply))
		return -EBADMSG;
	reader = reader_of(read.reply.parameters);
	if (!read.reply.error.text)
		reader_object(&reader);
	while (!read.reply.error.text && reader_member(&reader, &key)) {
		struct slice value = reader_value(&reader);

		if (slice_is(value, "null"))
			continue;
		if (slice_is(key, "event"))
			read.event = value;
		if (slice_is(key, "lost"))
			read.lost = value;
	}
	*ret_message = read;
	return 0;
}
