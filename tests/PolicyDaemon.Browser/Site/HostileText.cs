namespace PolicyDaemon.Browser.Site;

/// <summary>What a peer, a zone or a person may write to harm whoever looks at a page: markup, characters that turn or hide the text around them, length.</summary>
internal static class HostileText
{
    /// <summary>What a script that ran would have set.</summary>
    public const string Trace = "policydaemonWasHere";

    /// <summary>Markup that breaks out of an element, of an attribute and of a comment; each part would run a script.</summary>
    public const string Markup =
        $"<script>window.{Trace}=1</script>\"><img src=x onerror=\"window.{Trace}=1\"><svg onload=window.{Trace}=1>'--><a href=javascript:window.{Trace}=1>x</a>&lt;{{{{7*7}}}}";

    /// <summary>The override of the writing direction, its kin, a zero-width character, a bell, and an end of line of another alphabet.</summary>
    public const string Turning = "moc.knab\u202Eevil\u202D\u2066\u2067\u200B\u0007\u2028\u001B[31mred\u009B31m";

    /// <summary>A character under two hundred accents, and a letter that is drawn as nothing.</summary>
    public static string Marks { get; } = "Z" + new string('\u0335', 200) + new string('\u0e49', 60) + "\u20DD\u3164";

    /// <summary>Ten kilobytes without a place to break a line.</summary>
    public static string Long { get; } = new('W', 10_240);

    /// <summary>All of it at once.</summary>
    public static string Everything { get; } = $"{Markup} {Turning} {Long}";
}
