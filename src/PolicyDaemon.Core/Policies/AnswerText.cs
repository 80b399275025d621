namespace PolicyDaemon.Core.Policies;

/// <summary>Answers in words, for people and for the audit log.</summary>
public static class AnswerText
{
    /// <summary>The policy text as it is; everything else so that it cannot be taken for one: <c>(not found)</c>, <c>(temporary error: reason)</c>.</summary>
    public static string Words(this LookupAnswer answer) => answer.Kind switch
    {
        LookupAnswerKind.Found => answer.Text,
        LookupAnswerKind.NotFound => "(not found)",
        LookupAnswerKind.Temporary => $"(temporary error: {answer.Text})",
        _ => $"(permanent error: {answer.Text})",
    };
}
