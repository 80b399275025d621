namespace PolicyDaemon.Core.Policies;

/// <summary>Decides whether a destination can be served, and says why not.</summary>
public static class PolicyRules
{
    /// <summary>The reasons why a destination cannot be served, each with what to do next; empty where it can.</summary>
    public static IReadOnlyList<string> Problems(Destination destination, PostfixSettings postfix) => [];
}
