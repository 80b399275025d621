using PolicyDaemon.Core.Answers;

namespace PolicyDaemon.Core.Policies;

/// <summary>Writes the text of a policy: the one formatter through which every answer passes.</summary>
/// <remarks>See postconf(5), smtp_tls_policy_maps. What cannot be written truthfully is a temporary error.</remarks>
public static class PolicyText
{
    /// <summary>What is answered for a destination.</summary>
    public static LookupAnswer Answer(Destination destination, PostfixSettings postfix, MapName map) =>
        LookupAnswer.Temporary("the formatter is not written yet");
}
