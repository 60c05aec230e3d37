/* SPDX-License-Identifier: GPL-2.0-only */
/* ebpfctl reload: lets the daemon read its configuration again and says what came of it. */
#include "answer.h"
#include "complaint.h"
#include "output.h"
#include "subcommands.h"

/* Each problem is an error line of its own: nothing else says what is wrong in the files. */
static int problems_complain(struct json_object *answer)
{
	struct json_object *problems = answer_member(answer, "problems", json_type_array);
	size_t count = problems ? json_object_array_length(problems) : 0;

	for (size_t i = 0; i < count; i++) {
		const char *problem =
			json_object_get_string(json_object_array_get_idx(problems, i));

		complain(CODE_FAILURE, "%s", problem ? problem : "-");
	}
	return count ? CODE_FAILURE : CODE_OK;
}

static int restart_show(struct output *output, struct json_object *answer)
{
	struct json_object *keys = answer_member(answer, "restartNeeded", json_type_array);
	_cleanup_text_ struct text text = {};

	if (!keys || !json_object_array_length(keys))
		return CODE_OK;
	text_puts(&text, "Changed, but in force only after 'systemctl restart ebpfmond': ");
	answer_list(&text, answer, "restartNeeded", ", ");
	text_puts(&text, "\n");
	return output_write(output, &text);
}

int reload_main(const struct options *options)
{
	_cleanup_connection_ struct connection connection = connection_to(options->socket);
	_cleanup_json_object_ struct json_object *answer = NULL;
	_cleanup_output_ struct output output = {};
	struct reply reply;
	int problems, code = connection_ask(&connection, "Reload", NULL, &reply);

	if (!code)
		code = answer_parse(&connection, &reply, &answer);
	if (code)
		return code;
	output_open(&output);
	code = options->json ? output_json(&output, options->json, reply.parameters)
			     : restart_show(&output, answer);
	problems = problems_complain(answer);
	return problems ? problems : code;
}
