"""What is kept of each client's records: the whole list, field by field. Tests search for everything else."""

# client → the fields whose text may be kept: which session, where, by which model and tool, how it ended
KEPT = {
    "claude-code": """agentId compactMetadata.trigger cwd data.agentId data.message.cwd data.message.gitBranch
        data.message.message.id data.message.message.model data.message.message.stop_reason data.message.requestId
        data.message.uuid error gitBranch id message.content.id message.content.name
        message.content.tool_use_id message.id message.model message.stop_reason message.usage.iterations.model
        requestId requestSessionId sessionId uuid""",
    "codex": """#payload.codex_error_info.http payload.call_id payload.codex_error_info payload.cwd
        payload.forked_from_id payload.git.branch payload.id payload.model payload.name
        payload.rate_limits.limit_id payload.response_id payload.session_id
        payload.thread_settings.service_tier payload.source.subagent.thread_spawn.parent_thread_id payload.thread_id""",
    "gemini": """$set.messages.id $set.messages.model id messages.id messages.model messages.toolCalls.id
        messages.toolCalls.name model sessionId toolCalls.id toolCalls.name""",
    "copilot": """#data.modelMetrics.gpt-5.1-codex data.context.branch data.context.cwd data.errorType data.model
        data.newModel data.selectedModel data.toolCallId data.toolName data.usage.accounting.sourceSessionId
        data.usage.finishReason data.usage.model""",
    "qwen": """cwd forkedFrom.sessionId gitBranch systemPayload.uiEvent.error_type systemPayload.uiEvent.function_name
        systemPayload.uiEvent.model systemPayload.uiEvent.subagent_name uuid""",
    "pi": """cwd id message.content.id message.content.name message.model message.responseId message.stopReason
        message.toolCallId message.toolName""",
    "kimi": """cwd event.name event.toolCallId message.payload.message_id model modelAlias""",
    "grok": """#params.update.usage.modelUsage.gpt-5.1-codex params.sessionId params.update.prompt_id
        params.update.stop_reason params.update.title params.update.toolCallId""",
    "opencode": "error.name finish id modelID path.cwd sessionID",
    "opencode database": "message.error.name message.modelID message.path.cwd part.reason session.directory tool.tool",
    "opencode-database": """message.data.error.name message.data.modelID message.data.path.cwd message.id
        part.data.callID part.data.reason part.data.tool part.id session.directory session.id session.parent_id
        session_message.data.content.id session_message.data.content.name session_message.data.error.name
        session_message.data.finish session_message.data.model.id session_message.id session_v2.directory session_v2.id
        session_v2.parent_id""",
    "copilot-chat": """span_attributes[gen_ai.response.finish_reasons].value
        span_attributes[gen_ai.response.id].value spans.chat_session_id spans.conversation_id spans.request_model
        spans.response_model spans.span_id spans.tool_call_id spans.tool_name spans.trace_id""",
    "socket": """cwd error hook_event_name model model.id reason session_id source thread-id tool_name tool_use_id
        trigger turn-id workspace.project_dir""",
    "status-line": "model.id session_id workspace.project_dir",
    "gateway": "cwd error id model session stop_reason tokens.tier",
    "litellm": "error_information.error_class id litellm_call_id model response.choices.finish_reason session_id",
    "otlp-json": """log[call_id] log[conversation.id] log[model] log[request_id] log[session.id] log[status_code]
        log[tool_name] log[tool_use_id] resource[service.instance.id] resource[service.name] span.spanId span.traceId
        span[gen_ai.conversation.id] span[gen_ai.response.finish_reasons] span[gen_ai.response.id]
        span[gen_ai.response.model] span[gen_ai.tool.call.id] span[gen_ai.tool.name]""",
    "environment": "AITOP_TAG",
}
KEPT = {client: set(fields.split()) for client, fields in KEPT.items()}
