using System.Text;
using PolicyDaemon.Core.Policies;

namespace PolicyDaemon.Core.Serving;

/// <summary>The last check of an answer before it becomes bytes: what could not be sent truthfully is kept as a temporary error.</summary>
public static class PolicySnapshotAnswers
{
    /// <summary>What is said of a key whose entry leaves the answer to discovery and takes no less than its floor.</summary>
    public static readonly LookupAnswer BelowFloor =
        LookupAnswer.Temporary("what it publishes is below the floor of its entry, or not known; see policyctl explain");

    /// <summary>The answer, or the temporary error that takes its place.</summary>
    public static LookupAnswer Storable(LookupAnswer answer)
    {
        var text = answer.Text ?? "";
        switch (answer.Kind)
        {
            case LookupAnswerKind.NotFound:
                return LookupAnswer.NotFound;
            case LookupAnswerKind.Found when string.IsNullOrWhiteSpace(text):
                return LookupAnswer.Temporary("the answer is empty; see policyctl explain");
            case LookupAnswerKind.Found when text.Length > AnswerLimits.SocketmapText:
                return LookupAnswer.Temporary("the answer is too long for any protocol; see policyctl explain");
            case LookupAnswerKind.Found when !IsPrintable(text):
                return LookupAnswer.Temporary("the answer has characters that cannot be sent; see policyctl explain");
            case LookupAnswerKind.Found:
                return answer;
            case LookupAnswerKind.AsDiscovered:
                return BelowFloor;
            case LookupAnswerKind.Permanent:
                return LookupAnswer.Permanent(Reason(text));
            default:
                return LookupAnswer.Temporary(Reason(text));
        }
    }

    private static bool IsPrintable(string text) => !text.AsSpan().ContainsAnyExceptInRange(' ', '~');

    private static string Reason(string text)
    {
        if (text.Length <= AnswerLimits.Reason && IsPrintable(text))
            return text;
        var cut = new StringBuilder(text, 0, Math.Min(text.Length, AnswerLimits.Reason), AnswerLimits.Reason);
        for (var at = 0; at < cut.Length; at++)
        {
            if (cut[at] is < ' ' or > '~')
                cut[at] = '?';
        }

        return cut.ToString();
    }
}
