namespace PolicyDaemon.Cli.Output;

/// <summary>What a colour says; the words say it too.</summary>
internal enum Tone
{
    Plain,
    Heading,
    Good,
    Caution,
    Bad,
    Faint,
}
