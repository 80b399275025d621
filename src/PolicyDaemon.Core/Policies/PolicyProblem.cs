namespace PolicyDaemon.Core.Policies;

/// <summary>What is wrong in the text of a policy, and where.</summary>
/// <param name="Offset">The character at which the faulty part begins.</param>
/// <param name="Text">What is wrong and what to write instead.</param>
public readonly record struct PolicyProblem(int Offset, string Text);
