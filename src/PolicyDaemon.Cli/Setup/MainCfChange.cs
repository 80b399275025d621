using PolicyDaemon.Administration.Postfix;
using System.Globalization;
using PolicyDaemon.Cli.Hosting;
using PolicyDaemon.Core.Destinations;

namespace PolicyDaemon.Cli.Setup;

/// <summary>Edits of main.cf with what was there before, so that they can be shown, made, and taken back.</summary>
internal sealed class MainCfChange
{
    private readonly IPostfixTools tools;
    private readonly PostfixConfiguration postfix;
    private readonly IReadOnlyList<(MainCfEdit Edit, string? Before)> edits;

    private MainCfChange(IPostfixTools tools, PostfixConfiguration postfix, IReadOnlyList<(MainCfEdit, string?)> edits) =>
        (this.tools, this.postfix, this.edits) = (tools, postfix, edits);

    public bool IsEmpty => edits.Count == 0;

    public bool Changes(string parameter) => edits.Any(edit => edit.Edit.Parameter == parameter);

    /// <summary>main.cf of this Postfix.</summary>
    public string File => Path.Combine(postfix.Directory ?? postfix["config_directory"], "main.cf");

    /// <summary>The difference, line by line.</summary>
    public IEnumerable<string> Diff =>
        edits.SelectMany(edit => (string[])[.. edit.Before is null ? [] : (string[])[$"-{edit.Edit.Parameter} = {edit.Before}"], $"+{edit.Edit}"])
            .Prepend($"--- {File}");

    /// <summary>The command lines that bring back what was there.</summary>
    public IEnumerable<string> WayBack =>
    [
        .. edits.Select(edit => edit.Before is null
            ? $"postconf {Option}-X {edit.Edit.Parameter}"
            : postfix.SetCommand(edit.Edit.Parameter, edit.Before).Text),
        $"postfix {Option}reload",
    ];

    /// <summary>Looks up what main.cf says now, as it is written there.</summary>
    internal static MainCfChange Prepare(IPostfixTools tools, PostfixConfiguration postfix, IReadOnlyList<MainCfEdit> plan) => new(
        tools, postfix,
        [.. plan.Select(edit => (edit, postfix.Explicit.Contains(edit.Parameter) ? Ask(tools, postfix, "-h", edit.Parameter).TrimEnd('\n') : null))]);

    /// <summary>Copies main.cf, makes the edits in one step and lets Postfix read them.</summary>
    /// <returns>The copy's name.</returns>
    /// <exception cref="CommandException">postconf or postfix refused; the message says why.</exception>
    internal string Make(TimeProvider time)
    {
        var copy = $"{File}.{time.GetUtcNow().ToString("yyyyMMdd'T'HHmmss'Z'", CultureInfo.InvariantCulture)}";
        System.IO.File.Copy(File, copy, overwrite: false);
        Ask(tools, postfix, ["-e", .. edits.Select(edit => edit.Edit.ToString())]);
        tools.Reload(postfix.Directory);
        return copy;
    }

    private string Option => postfix.Directory is null ? "" : $"-c {Shell.Quote(postfix.Directory)} ";

    private static string Ask(IPostfixTools tools, PostfixConfiguration postfix, params IReadOnlyList<string> arguments) =>
        tools.Postconf(postfix.Directory is null ? arguments : ["-c", postfix.Directory, .. arguments]);
}
