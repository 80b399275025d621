namespace PolicyDaemon.Cli.Output;

/// <summary>One field of a row.</summary>
/// <param name="Text">What it says, unescaped.</param>
/// <param name="Tone">Its colour on a terminal.</param>
internal readonly record struct Cell(string Text, Tone Tone = Tone.Plain)
{
    public static implicit operator Cell(string? text) => new(text ?? "");
}
