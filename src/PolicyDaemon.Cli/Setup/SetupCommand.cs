namespace PolicyDaemon.Cli.Setup;

/// <summary>A command line that settles something.</summary>
/// <param name="Text">The line, to be pasted.</param>
/// <param name="Edit">What it changes in main.cf, so that <c>setup --apply</c> can do it; null for what a person has to do.</param>
internal sealed record SetupCommand(string Text, MainCfEdit? Edit = null)
{
    public static implicit operator SetupCommand(string text) => new(text);
}
