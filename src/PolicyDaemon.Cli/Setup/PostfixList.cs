namespace PolicyDaemon.Cli.Setup;

/// <summary>Splits a list in main.cf as Postfix does: at commas and blanks outside braces (postconf(5), "{ }").</summary>
internal static class PostfixList
{
    internal static IReadOnlyList<string> Split(string value)
    {
        var items = new List<string>();
        var depth = 0;
        var start = -1;
        for (var i = 0; i <= value.Length; i++)
        {
            var character = i < value.Length ? value[i] : ',';
            if (character == '{')
                depth++;
            else if (character == '}')
                depth--;
            var separates = depth <= 0 && (character == ',' || char.IsWhiteSpace(character));
            if (!separates && start < 0)
                start = i;
            if ((separates || i == value.Length) && start >= 0)
            {
                items.Add(value[start..i]);
                start = -1;
            }
        }

        return items;
    }
}
